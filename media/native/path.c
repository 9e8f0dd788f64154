/* The packet path in one thread: receive, unprotect in place, rewrite, protect, send.
 *
 * What it does is said in media/path.py ("rule N"); what packets mean in streams.h.
 *
 * Threads. Two threads come here: ours (`run`), which alone reads the socket, and Python's event
 * loop, which calls every function of path.h (ctypes lets go of the GIL meanwhile; ours never
 * takes it).
 *  1. Everything of `struct path` but what `run` owns is read and written under `state` alone.
 *     Ours holds it for one datagram at a time, Python's calls for microseconds; between two
 *     batches it lets those through that stand in line (`let_callers`).
 *  2. `batch` is held from before a batch of datagrams is read until all that came of it was sent.
 *     Who must promise that nothing older leaves (gate, veil, keys, removal) changes `state` first
 *     and then takes and gives back `batch`: `settle`. Order: `batch` before `state`, never the
 *     other way round.
 *  3. libsrtp has no locks. A session given to `leg_keys` is ours alone until `leg_keys` or
 *     `leg_remove` has returned, and used under `state`. All that leaves is sealed here alone, RTP
 *     with retransmissions and repetitions, and RTCP (report.c): Python has no session that seals,
 *     so no number is ever sealed on both sides (with GCM that would use a nonce twice). RTCP is
 *     opened by Python with a session of its own from the same keys.
 *  4. Both sides send on the socket, each datagram by itself and with MSG_DONTWAIT.
 *  5. What is not for us goes to Python over a datagram socket pair: bounded, never waited for.
 *     What Python does not fetch in time is lost and counted.
 */
#include "inside.h"

#include <errno.h>
#include <signal.h>
#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef PATH_SOURCE
#define PATH_SOURCE "unknown"
#endif

/* --- life */

const char *path_source(void) { return PATH_SOURCE; }

const int *path_sizes(void)
{
    static const int sizes[] = {
        sizeof(address),    sizeof(envelope), sizeof(path_facts), sizeof(leg_facts),
        sizeof(source_facts), sizeof(sink_facts), sizeof(route),    sizeof(seeds),
        sizeof(agreed),     sizeof(passage),  sizeof(gap),        0,
    };
    return sizes;
}

path *path_new(srtp_function protect, srtp_function unprotect, srtp_function protect_rtcp)
{
    path *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    pthread_mutex_init(&p->state, NULL);
    pthread_mutex_init(&p->batch, NULL);
    pthread_mutex_init(&p->turn, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->served, &monotonic);
    pthread_condattr_destroy(&monotonic);
    p->protect = protect;
    p->spell = 1;
    p->salt = (uint32_t)((uintptr_t)p >> 4) ^ (uint32_t)(system_seconds() * 1e9);
    p->unprotect = unprotect;
    p->protect_rtcp = protect_rtcp;
    p->udp = p->python = p->stop_event = -1;
    return p;
}

/* Begin to read `udp` and to tell `python`. False when there is no thread to be had. */
int path_start(path *p, int udp, int python)
{
    p->udp = udp;
    p->python = python;
    struct timeval noted; /* asked for once, arrivals are noted from then on */
    ioctl(udp, SIOCGSTAMP, &noted);
    p->stop_event = eventfd(0, EFD_CLOEXEC);
    if (p->stop_event < 0)
        return FULL;
    sigset_t all, before; /* signals are Python's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->running = pthread_create(&p->thread, NULL, run, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p->running ? 0 : FULL;
}

static void end_thread(path *p)
{
    if (p->running) {
        uint64_t one = 1;
        while (write(p->stop_event, &one, sizeof one) < 0 && errno == EINTR)
            ;
        pthread_join(p->thread, NULL);
        p->running = false;
    }
    if (p->stop_event >= 0)
        close(p->stop_event);
    p->udp = p->python = p->stop_event = -1;
}

/* Read and send no more, and forget everything; handles are gone. */
void path_stop(path *p)
{
    end_thread(p);
    for (int i = 0; i < p->legs.size; i++)
        if (p->legs.items[i])
            leg_remove(p, ((leg *)p->legs.items[i])->self);
    for (int i = 0; i < p->sources.size; i++)
        if (p->sources.items[i])
            source_remove(p, ((source *)p->sources.items[i])->self);
}

void path_free(path *p)
{
    path_stop(p);
    pool *pools[] = {&p->legs, &p->sources, &p->sinks, &p->taps};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        free(pools[i]->items);
        free(pools[i]->rounds);
    }
    forget_names(p);
    pthread_mutex_destroy(&p->state);
    pthread_mutex_destroy(&p->batch);
    pthread_mutex_destroy(&p->turn);
    pthread_cond_destroy(&p->served);
    free(p);
}

/* Take one datagram on the caller's thread. */
void path_feed(path *p, const address *from, const uint8_t *data, int size, double now)
{
    enter_batch(p);
    if (size > 0 && size < PACKET_BYTES) {
        memcpy(p->in[0].data, data, (size_t)size);
        take_datagram(p, from, p->in[0].data, size, now);
    }
    flush(p, false);
    pthread_mutex_unlock(&p->batch);
}

/* Let it be `now`, and do what is due. */
void path_tick(path *p, double now)
{
    atomic_store(&p->clock_ahead, now - system_seconds());
    enter(p);
    is_wall_doubtful(p);
    leave(p);
    for (int i = 0; i < p->sources.size; i++) { /* only this thread changes the size */
        enter(p);
        if (p->sources.items[i])
            tick_source(p->sources.items[i], now);
        leave(p);
    }
    for (int i = 0; i < p->legs.size; i++) {
        enter(p);
        if (p->legs.items[i])
            tell_late(p, p->legs.items[i], now);
        leave(p);
    }
}

void path_read(path *p, path_facts *facts)
{
    enter(p);
    *facts = p->facts;
    leave(p);
}
