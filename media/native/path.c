/* The packet path in one thread: receive, unprotect in place, rewrite, protect, send.
 *
 * What it does is said in media/path.py ("rule N"); what packets mean in streams.c.
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

static const double USUAL_WINDOW_SECONDS = 0.5, MIN_WINDOW_SECONDS = 0.2, MAX_WINDOW_SECONDS = 1.0;

static source *enter_source(path *p, handle h)
{
    enter(p);
    return pool_get(&p->sources, h);
}

/* --- taps (rule 28) */

static void free_tap(tap *t)
{
    memset(t->data, 0, (size_t)t->size);
    free(t->data);
    free(t);
}

static void end_tap(path *p, handle h)
{
    tap *t = pool_take(&p->taps, h);
    if (t)
        free_tap(t);
}

handle tap_add(path *p, handle of, int bytes)
{
    if (bytes < 1 || bytes > MAX_TAP_BYTES)
        return FULL;
    tap *t = calloc(1, sizeof *t);
    if (!t)
        return FULL;
    *t = (tap){.source = of, .size = bytes, .data = calloc(1, (size_t)bytes)};
    source *s = enter_source(p, of);
    int failed = !s ? GONE : !t->data ? FULL : 0, free_one = 0;
    while (!failed && pool_get(&p->taps, s->taps[free_one]))
        if (++free_one == MAX_TAPS)
            failed = FULL;
    if (!failed && !(t->self = pool_put(&p->taps, t)))
        failed = FULL;
    if (!failed) {
        s->taps[free_one] = t->self;
        LEAVE(t->self);
    }
    free(t->data);
    free(t);
    LEAVE(failed);
}

/* Move what the tap holds to `out`; return its bytes, `lost` packets did not fit since last time. */
int tap_read(path *p, handle h, uint8_t *out, int room, uint64_t *lost)
{
    enter(p);
    tap *t = pool_get(&p->taps, h);
    if (!t)
        LEAVE(GONE);
    if (room < t->used)
        LEAVE(FULL);
    int used = t->used;
    memcpy(out, t->data, (size_t)used);
    *lost = t->lost;
    t->used = 0;
    t->lost = 0;
    LEAVE(used);
}

int tap_remove(path *p, handle h)
{
    enter(p);
    int answer = pool_get(&p->taps, h) ? 0 : GONE;
    end_tap(p, h);
    LEAVE(answer);
}


/* --- sinks */

static void forget_source(sink *s)
{
    s->source = 0;
    s->epoch = s->generation = -1;
}

static void stop_listening(path *p, sink *s)
{
    source *from = pool_get(&p->sources, s->source);
    for (int i = 0; from && i < from->sink_count; i++)
        if (from->sinks[i] == s->self) {
            from->sink_count--;
            memmove(from->sinks + i, from->sinks + i + 1,
                    (size_t)(from->sink_count - i) * sizeof *from->sinks);
            break;
        }
    forget_source(s);
}

static void end_sink(path *p, sink *s)
{
    stop_listening(p, s);
    pool_take(&p->sinks, s->self);
    free(s);
}

handle sink_add(path *p, handle to, int codec, const seeds *begin)
{
    if (codec < OPUS || codec > H264)
        return FULL;
    sink *s = calloc(1, sizeof *s);
    if (!s)
        return FULL;
    s->leg = to;
    s->codec = codec;
    s->ssrc = begin->ssrc;
    s->rtx_ssrc = begin->rtx_ssrc;
    s->rtx_seq = begin->first_rtx_seq;
    s->epoch = s->generation = s->left_time = s->key_time = -1;
    s->agreed.rtx_type = -1;
    numbers_init(&s->numbers, CLOCK_RATES[codec], begin->first_seq, begin->first_time);
    enter(p);
    int failed = pool_get(&p->legs, to) ? 0 : GONE;
    if (!failed && !(s->self = pool_put(&p->sinks, s)))
        failed = FULL;
    if (!failed)
        LEAVE(s->self);
    free(s);
    LEAVE(failed);
}

static sink *enter_sink(path *p, handle h)
{
    enter(p);
    return pool_get(&p->sinks, h);
}

int sink_remove(path *p, handle h)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    end_sink(p, s);
    leave(p);
    settle(p);
    return 0;
}

int sink_agree(path *p, handle h, const agreed *a)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    if (memcmp(&s->agreed, a, sizeof *a) != 0) {
        s->agreed = *a;
        s->epoch = -1;
    }
    LEAVE(0);
}

int sink_listen(path *p, handle h, handle to)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    bool changes = s->source != to && (s->source > 0 || to > 0);
    source *from = pool_get(&p->sources, to);
    if (to > 0 && !from)
        LEAVE(GONE);
    if (changes) {
        stop_listening(p, s);
        if (from && from->sink_count == MAX_LISTENERS)
            LEAVE(FULL);
        if (from) {
            from->sinks[from->sink_count++] = h;
            s->source = to;
            from->wanted = from->wanted || from->codec != OPUS;
        }
    }
    leave(p);
    if (changes)
        settle(p);
    return 0;
}

int sink_flow(path *p, handle h, int flow)
{
    if (flow < FLOW_ALL || flow > FLOW_NONE)
        return FULL;
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    s->flow_next = s->codec != OPUS || flow == FLOW_NONE ? flow : FLOW_ALL;
    if (s->flow == FLOW_NONE || !is_attached(p, s))
        s->flow = s->flow_next;
    LEAVE(0);
}

/* Send packets of the stream again, at most `limit`; return how many. */
int sink_resend(path *p, handle h, const uint16_t *seqs, int count, int limit,
                double now)
{
    enter_batch(p);
    sink *s = enter_sink(p, h);
    leg *l = s ? pool_get(&p->legs, s->leg) : NULL;
    source *from = s ? pool_get(&p->sources, s->source) : NULL;
    bool repeats = s && (s->agreed.rtx_type >= 0 || !(s->agreed.stamps || s->agreed.numbers));
    int sent = s ? 0 : GONE;
    if (l && from && from->open && is_attached(p, s) && repeats && may_send(l, now)) {
        for (int i = 0; i < count && sent < limit; i++)
            sent += send_again(p, l, s, from, seqs[i], now);
        s->resent += sent;
    }
    leave(p);
    flush(p, false);
    pthread_mutex_unlock(&p->batch);
    return sent;
}

int sink_read(path *p, handle h, sink_facts *facts)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    *facts = (sink_facts){
        .packets = s->packets,
        .octets = s->octets,
        .resent = s->resent,
        .frames_left_out = s->frames_left_out,
        .attached = is_attached(p, s),
    };
    LEAVE(0);
}

int64_t sink_time_out(path *p, handle h, uint32_t time)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    LEAVE(is_attached(p, s) ? (int64_t)numbers_time_out(&s->numbers, time) : DETACHED);
}

/* --- sources */

static void free_source(source *s)
{
    cache_clear(&s->cache);
    cache_free(&s->cache);
    free(s);
}

handle source_add(path *p, int codec)
{
    if (codec < OPUS || codec > H264)
        return FULL;
    source *s = calloc(1, sizeof *s);
    if (!s)
        return FULL;
    s->codec = codec;
    s->ssrc = s->key_time = s->newest_time = s->key_seq = -1;
    s->window = USUAL_WINDOW_SECONDS;
    reception_init(&s->reception, CLOCK_RATES[codec]);
    if (!cache_init(&s->cache, LEAST_SLOTS[codec])) {
        free(s);
        return FULL;
    }
    enter(p);
    s->self = pool_put(&p->sources, s);
    if (s->self)
        LEAVE(s->self);
    free_source(s);
    LEAVE(FULL);
}

int source_remove(path *p, handle h)
{
    enter(p);
    source *s = pool_take(&p->sources, h);
    if (!s)
        LEAVE(GONE);
    for (int i = 0; i < MAX_TAPS; i++)
        end_tap(p, s->taps[i]);
    while (s->sink_count) {
        sink *listener = pool_get(&p->sinks, s->sinks[--s->sink_count]);
        if (listener)
            forget_source(listener);
    }
    free_source(s);
    leave(p);
    settle(p);
    return 0;
}

int source_codec(path *p, handle h, int codec)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    if (codec < OPUS || codec > H264 || (codec == OPUS) != (s->codec == OPUS))
        LEAVE(FULL);
    if (codec != s->codec) {
        s->codec = codec;
        interrupt(s);
    }
    LEAVE(0);
}

int source_expect(path *p, handle h, const uint32_t *announced, int count, int repairable)
{
    if (count < 0 || count > MAX_ANNOUNCED)
        return FULL;
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    for (int i = 0; i < count; i++)
        s->announced[i] = announced[i];
    s->announced_count = count;
    s->repairable = repairable != 0;
    LEAVE(0);
}

int source_replace(path *p, handle h)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    replace(s);
    LEAVE(0);
}

/* Once this returns, nothing from before the change leaves any more. */
int source_open(path *p, handle h, int is_open)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    bool changes = s->open != (is_open != 0);
    if (changes) {
        s->open = is_open != 0;
        interrupt(s);
    }
    leave(p);
    if (changes)
        settle(p);
    return 0;
}

int source_window(path *p, handle h, double window)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    s->window = window < MIN_WINDOW_SECONDS   ? MIN_WINDOW_SECONDS
                : window > MAX_WINDOW_SECONDS ? MAX_WINDOW_SECONDS
                                              : window;
    LEAVE(0);
}

int source_want(path *p, handle h)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    s->wanted = true;
    LEAVE(0);
}

int source_read(path *p, handle h, source_facts *facts)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    const reception *r = &s->reception;
    *facts = (source_facts){
        .jitter = r->jitter,
        .heard_at = s->heard_at,
        .ssrc = s->ssrc,
        .highest = r->highest,
        .expected = r->first < 0 ? 0 : r->highest - r->first + 1,
        .received = r->received,
        .lost_before = s->lost_before,
        .octets = s->octets,
        .frames = s->frames,
        .repaired = s->repaired,
        .missing = s->missing.count,
        .keyframes = s->keyframes,
        .wanted = s->wanted,
        .width = s->width,
        .height = s->height,
    };
    LEAVE(0);
}

int64_t source_octets(path *p, handle h)
{
    const source *s = enter_source(p, h);
    LEAVE(s ? s->octets : (int64_t)GONE);
}

int source_needy(path *p, handle *out, int room)
{
    int count = 0;
    enter(p);
    for (int i = 0; i < p->sources.size && count < room; i++) {
        const source *s = p->sources.items[i];
        if (s && (s->wanted || s->missing.count))
            out[count++] = s->self;
    }
    LEAVE(count);
}

/* Write what is missing to `out` (room for MAX_MISSING) and return how much. */
int source_missing(path *p, handle h, gap *out, double now)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    missing_expire(&s->missing, now);
    memcpy(out, s->missing.gaps, (size_t)s->missing.count * sizeof *out);
    LEAVE(s->missing.count);
}

/* --- legs */

/* Make `where` the leg's; false when there is no memory. */
static bool own(path *p, leg *l, const address *where)
{
    owner **link = owner_link(p, where);
    if (!*link) {
        *link = calloc(1, sizeof **link);
        if (!*link)
            return false;
        (*link)->where = *where;
    }
    (*link)->leg = l;
    return true;
}

static void disown(path *p, const leg *l, const address *where)
{
    owner **link = owner_link(p, where), *gone = *link;
    if (gone && gone->leg == l) {
        *link = gone->next;
        free(gone);
    }
}

handle leg_add(path *p)
{
    leg *l = calloc(1, sizeof *l);
    if (!l)
        return FULL;
    enter(p);
    l->self = pool_put(&p->legs, l);
    if (l->self)
        LEAVE(l->self);
    free(l);
    LEAVE(FULL);
}

static void free_leg(path *p, leg *l)
{
    for (int i = 0; i < l->line_count; i++)
        disown(p, l, &l->lines[i].where);
    free(l);
}

int leg_remove(path *p, handle h)
{
    enter(p);
    leg *l = pool_take(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    for (int i = 0; i < p->sinks.size; i++) {
        sink *s = p->sinks.items[i];
        if (s && s->leg == h)
            end_sink(p, s);
    }
    free_leg(p, l);
    leave(p);
    settle(p);
    return 0;
}

/* Take the two sessions, or none any more; the ones before are the caller's again. */
int leg_keys(path *p, handle h, void *inbound, void *outbound)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    l->inbound = inbound;
    l->outbound = outbound;
    leave(p);
    settle(p);
    return 0;
}

/* Know the address; a ninth is not taken. */
int leg_allow(path *p, handle h, const address *where, double until)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    line *found = line_of(l, where);
    if (!found && l->line_count == MAX_ADDRESSES)
        LEAVE(0);
    if (!own(p, l, where))
        LEAVE(FULL);
    if (!found) {
        found = &l->lines[l->line_count++];
        found->where = *where;
    }
    found->until = until;
    if (!l->used)
        l->used = found;
    LEAVE(0);
}

int leg_forbid(path *p, handle h, const address *where)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    line *found = line_of(l, where);
    if (found) {
        line *last = &l->lines[l->line_count - 1];
        disown(p, l, where);
        if (l->used == found)
            l->used = NULL;
        else if (l->used == last)
            l->used = found;
        *found = *last;
        l->line_count--;
    }
    leave(p);
    settle(p);
    return 0;
}

int leg_use(path *p, handle h, const address *where)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    line *found = line_of(l, where);
    if (found)
        use_line(l, found);
    LEAVE(0);
}

static bool same_ids(const route *a, const route *b)
{
    return memcmp(a->table, b->table, TABLE_IDS) == 0 && a->cc == b->cc && a->stamp == b->stamp &&
           a->mid == b->mid;
}

int leg_routes(path *p, handle h, const route *routes, int count)
{
    if (count < 0 || count > MAX_ROUTES)
        return FULL;
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    for (int i = 0; i < count; i++)
        if (!pool_get(&p->sources, routes[i].source))
            LEAVE(GONE);
    memset(l->route_of, 0, sizeof l->route_of);
    l->route_count = count;
    for (int i = 0; i < count; i++) {
        source *s = pool_get(&p->sources, routes[i].source);
        if (!same_ids(&routes[i], &s->ids)) {
            if (s->has_ids) /* packets under other ids are forgotten */
                interrupt(s);
            s->ids = routes[i];
        }
        s->has_ids = true;
        l->routes[i] = routes[i];
        l->route_of[routes[i].payload_type & 0x7F] = (uint8_t)(i + 1);
    }
    LEAVE(0);
}

int leg_read(path *p, handle h, leg_facts *facts)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    *facts = l->facts;
    memset(&facts->used, 0, sizeof facts->used);
    if (l->used)
        facts->used = l->used->where;
    LEAVE(0);
}

int leg_moved(path *p, handle *out, int room)
{
    int count = 0;
    enter(p);
    for (int i = 0; i < p->legs.size && count < room; i++) {
        leg *l = p->legs.items[i];
        if (l && l->moved) {
            l->moved = false;
            out[count++] = l->self;
        }
    }
    LEAVE(count);
}

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
