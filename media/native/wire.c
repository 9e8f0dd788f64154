/* The socket, the thread that reads it, and the way to Python. The locks: path.c. */
#include "inside.h"

#include <errno.h>
#include <linux/sockios.h>
#include <math.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/uio.h>

/* As in media/python_path.py: from five calls on. */
static const double WINDOW_SECONDS = 0.1;
enum { BUSY_DATAGRAMS = 200, CALM_DATAGRAMS = 100, NAP_NANOSECONDS = 4000000 };

typedef struct {
    bool busy;
    int datagrams;
    double since;
} pace;

/* --- addresses (rules 1, 5 and 22) */

owner **owner_link(path *p, const address *where)
{
    const uint8_t *bytes = (const uint8_t *)where;
    uint32_t hash = 2166136261u; /* FNV-1a; only who passed a check gets in */
    for (size_t i = 0; i < sizeof *where; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    owner **link = &p->owners[(hash ^ hash >> 12) % OWNER_BUCKETS];
    while (*link && memcmp(&(*link)->where, where, sizeof *where) != 0)
        link = &(*link)->next;
    return link;
}

line *line_of(leg *l, const address *where)
{
    for (int i = 0; i < l->line_count; i++)
        if (memcmp(&l->lines[i].where, where, sizeof *where) == 0)
            return &l->lines[i];
    return NULL;
}

static address from_sockaddr(const struct sockaddr_in6 *name)
{
    address where;
    memset(&where, 0, sizeof where);
    if (name->sin6_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)name;
        where.kind = AF_INET;
        where.port = ntohs(four->sin_port);
        memcpy(where.host, &four->sin_addr, 4);
    } else if (name->sin6_family == AF_INET6) {
        where.kind = AF_INET6;
        where.port = ntohs(name->sin6_port);
        where.scope = name->sin6_scope_id;
        memcpy(where.host, &name->sin6_addr, 16);
    }
    return where;
}

/* --- to Python */

bool tell_python(path *p, uint32_t what, const address *where, const uint8_t *data, int size,
                 double now)
{
    envelope head = {.where = *where, .at = now, .what = what};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)(uintptr_t)data, (size_t)size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (p->python < 0 || sendmsg(p->python, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        p->facts.hand_overs_lost++;
        return false;
    }
    p->facts.handed_over++;
    return true;
}

/* Each address of a party has a share of its own. Strangers share one, of which no place has all:
 * whoever floods, Python is not kept from its work and nobody else's messages are lost for it. */
static void hand_over(path *p, owner *from, const address *where, const uint8_t *data, int size,
                      double now)
{
    bool may = from ? bucket_has(&from->handed, 400, 400, now) : admits_stranger(p, where, now);
    if (may && from)
        from->handed.tokens -= 1;
    if (may && p->out_count) /* what came before has left when Python hears of this */
        flush(p, true);
    if (may)
        tell_python(p, OUTSIDER, where, data, size, now);
    else
        p->facts.refused_to_hand++;
}

/* --- in */

/* Rule 1. Under `batch`. */
void take_datagram(path *p, const address *where, uint8_t *data, int size, double now)
{
    if (size < 1 || size >= PACKET_BYTES)
        return;
    uint8_t first = data[0];
    bool is_stun = first < 4, is_dtls = first >= 20 && first < 64;
    bool is_rtp = first >= 128 && first < 192;
    bool is_rtcp = is_rtp && size > 1 && data[1] >= 192 && data[1] <= 223;
    if (!is_stun && !is_dtls && !is_rtp)
        return;
    pthread_mutex_lock(&p->state);
    owner *from = *owner_link(p, where);
    if (is_stun ? is_for_us(p, data, size) : from && (is_dtls || is_rtcp))
        hand_over(p, from, where, data, size, now);
    else if (from && is_rtp && !(p->shed && leave_behind(p, from->leg, data, size)))
        take_rtp(p, from->leg, where, data, size, now);
    pthread_mutex_unlock(&p->state);
}

static int receive(path *p)
{
    for (int i = 0; i < BATCH; i++) {
        p->parts[i] = (struct iovec){p->in[i].data, PACKET_BYTES};
        p->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &p->in[i].to,
            .msg_namelen = sizeof p->in[i].to,
            .msg_iov = &p->parts[i],
            .msg_iovlen = 1,
        };
    }
    int received = recvmmsg(p->udp, p->headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < received; i++)
        p->in[i].size = (int)p->headers[i].msg_len;
    return received;
}

/* How long the datagram read last had waited, in seconds of the wall clock; 0 if nobody knows. */
static double age_of_last(const path *p)
{
    struct timeval noted;
    struct timespec now;
    if (ioctl(p->udp, SIOCGSTAMP, &noted) < 0)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)(now.tv_sec - noted.tv_sec) + (double)now.tv_nsec * 1e-9 -
           (double)noted.tv_usec * 1e-6;
}

/* As `Staleness` of media/overload.py. */
static enum shed shed_at(enum shed shed, double age)
{
    if (age >= 0.400 || (shed == SHED_MEDIA && age >= 0.200))
        return SHED_MEDIA;
    if (age >= 0.100 || (shed && age >= 0.030))
        return SHED_PICTURES;
    return SHED_NOTHING;
}

/* Tell whether the wall clock was put in the last second; as `WallClock` of media/overload.py. To be
 * asked often. Under `state`. */
bool is_wall_doubtful(path *p)
{
    struct timespec wall;
    double began = system_seconds(), before = p->wall_ahead;
    clock_gettime(CLOCK_REALTIME, &wall);
    double now = system_seconds();
    if (now - began > 0.005)
        return now < p->wall_doubted_until;
    p->wall_ahead = (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9 - now;
    if (p->wall_known && fabs(p->wall_ahead - before) > 0.02)
        p->wall_doubted_until = now + 1.0;
    p->wall_known = true;
    return now < p->wall_doubted_until;
}

/* See how old the last of a batch is, where datagrams queue, and what is left out for it. */
static void look_back(path *p, int received)
{
    if (received < BATCH / 2 && !p->shed)
        return;
    double age = age_of_last(p);
    pthread_mutex_lock(&p->state);
    enum shed shed = shed_at(p->shed, is_wall_doubtful(p) ? 0 : age);
    if (!shed && p->shed)
        p->spell++;
    p->shed = shed;
    pthread_mutex_unlock(&p->state);
}

/* Give up to 1 ms to who stands before a lock. Mutexes are not fair: who asks again at once may get
 * one for ever; and to yield the processor may cost many milliseconds on a busy one. */
static void let_callers(path *p)
{
    if (atomic_load(&p->waiting) == 0)
        return;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&p->turn);
    int turns = p->turns, failed = 0;
    while (!failed && p->turns == turns && atomic_load(&p->waiting) > 0)
        failed = pthread_cond_timedwait(&p->served, &p->turn, &end);
    pthread_mutex_unlock(&p->turn);
}

/* Tell at the end of each window whether so much comes that the thread looks at times of its own. */
static void judge_pace(pace *at, int received, double now)
{
    at->datagrams += received > 0 ? received : 0;
    if (now - at->since < WINDOW_SECONDS)
        return;
    at->busy = at->datagrams >= (at->busy ? CALM_DATAGRAMS : BUSY_DATAGRAMS);
    at->since = now;
    at->datagrams = 0;
}

/* Wait for what comes; tell whether to go on, as only `stop_event` says no to. To be woken for a
 * datagram costs more than to take it, and so does sending it alone: while much comes, what arrives
 * within a nap is taken together. */
static bool await(path *p, const pace *at, bool more)
{
    struct pollfd ready[2] = {{p->stop_event, POLLIN, 0}, {p->udp, POLLIN, 0}};
    static const struct timespec nap = {0, NAP_NANOSECONDS}, look = {0, 0};
    const struct timespec *wait = more ? &look : at->busy ? &nap : NULL;
    if (ppoll(ready, wait ? 1 : 2, wait, NULL) >= 0)
        return !ready[0].revents;
    if (errno != EINTR) /* no memory for it: that passes */
        nanosleep(&nap, NULL);
    return true;
}

void *run(void *argument)
{
    path *p = argument;
    pace at = {0};
    int received = 0;
    while (await(p, &at, received == BATCH)) {
        let_callers(p);
        pthread_mutex_lock(&p->batch);
        received = receive(p);
        look_back(p, received);
        double now = system_seconds() + atomic_load(&p->clock_ahead);
        for (int i = 0; i < received; i++) {
            address where = from_sockaddr(&p->in[i].to);
            take_datagram(p, &where, p->in[i].data, p->in[i].size, now);
        }
        flush(p, false);
        pthread_mutex_lock(&p->state);
        p->facts.batches++;
        p->facts.datagrams += received > 0 ? (uint64_t)received : 0;
        pthread_mutex_unlock(&p->state);
        pthread_mutex_unlock(&p->batch);
        judge_pace(&at, received, now);
    }
    return NULL;
}
