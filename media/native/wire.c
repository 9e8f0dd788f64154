/* The socket, the thread that reads it, and the way to Python. The locks: path.c. */
#include "inside.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/uio.h>

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

static socklen_t to_sockaddr(const address *where, struct sockaddr_in6 *name)
{
    memset(name, 0, sizeof *name);
    if (where->kind == AF_INET) {
        struct sockaddr_in *four = (struct sockaddr_in *)(void *)name;
        four->sin_family = AF_INET;
        four->sin_port = htons(where->port);
        memcpy(&four->sin_addr, where->host, 4);
        return sizeof *four;
    }
    name->sin6_family = AF_INET6;
    name->sin6_port = htons(where->port);
    name->sin6_scope_id = where->scope;
    memcpy(&name->sin6_addr, where->host, 16);
    return sizeof *name;
}

static bool bucket_take(bucket *b, double burst, double per_second, double now)
{
    if (b->filled_at == 0 || now > b->filled_at) {
        b->tokens += b->filled_at == 0 ? burst : (now - b->filled_at) * per_second;
        if (b->tokens > burst)
            b->tokens = burst;
        b->filled_at = now;
    }
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}

/* --- to Python */

static bool tell_python(path *p, uint32_t what, const address *where, const uint8_t *data, int size,
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

/* Strangers share few tokens, each address of a party has many of its own: whoever floods, Python
 * is not kept from its work and nobody else's messages are lost for it. */
static void hand_over(path *p, owner *from, const address *where, const uint8_t *data, int size,
                      double now)
{
    bool may = from ? bucket_take(&from->handed, 400, 400, now)
                    : bucket_take(&p->strangers, 300, 1000, now);
    if (may && p->out_count) /* what came before has left when Python hears of this */
        flush(p, true);
    if (may)
        tell_python(p, OUTSIDER, where, data, size, now);
    else
        p->facts.refused_to_hand++;
}

/* --- out */

bool may_send(const leg *l, double now)
{
    return l->outbound && l->used && now <= l->used->until;
}

static void take_back(path *p, const letter *lost)
{
    leg *l = pool_get(&p->legs, lost->leg);
    sink *s = pool_get(&p->sinks, lost->sink);
    if (l) {
        l->facts.packets_forwarded--;
        l->facts.bytes_forwarded -= (uint64_t)lost->size;
    }
    if (s && lost->octets >= 0) {
        s->packets--;
        s->octets -= lost->octets;
    }
    p->facts.unsent++;
}

/* Send what is in `out`. Under `batch`; `holds` says whether under `state` as well. */
void flush(path *p, bool holds)
{
    for (int i = 0; i < p->out_count; i++) {
        letter *one = &p->out[i];
        p->parts[i] = (struct iovec){one->data, (size_t)one->size};
        bool four = one->to.sin6_family == AF_INET;
        p->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &one->to,
            .msg_namelen = four ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
            .msg_iov = &p->parts[i],
            .msg_iovlen = 1,
        };
    }
    int sent = 0;
    while (sent < p->out_count) {
        int count = sendmmsg(p->udp, p->headers + sent, (unsigned)(p->out_count - sent),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) {
            sent += count;
            continue;
        }
        /* The first of the rest was refused: it is lost, as on any line (rule 23). */
        if (!holds)
            pthread_mutex_lock(&p->state);
        take_back(p, &p->out[sent++]);
        if (!holds)
            pthread_mutex_unlock(&p->state);
    }
    p->out_count = 0;
}

/* The next letter to write; there is always room for one. */
uint8_t *blank(path *p) { return p->out[p->out_count].data; }

/* Seal the packet of `size` bytes in the next letter and address it. `octets` of payload are
 * counted for the sink, -1 for a repetition; `number` is its transport-wide one or -1. */
void post(path *p, leg *l, sink *s, int size, int octets, int number, double now)
{
    letter *one = &p->out[p->out_count];
    if (p->protect(l->outbound, one->data, &size) != 0) {
        l->facts.refused++;
        return;
    }
    if (number >= 0) {
        l->sent_number = (uint16_t)(number + 1);
        if (l->sent_count < MAX_SENT)
            l->sent[l->sent_count++] =
                (passage){.at = now, .number = (uint16_t)number, .size = (uint16_t)size};
    }
    if (l->used->where.kind & STREAM) {
        if (!tell_python(p, TO_STREAM, &l->used->where, one->data, size, now))
            return;
    } else {
        one->size = size;
        one->octets = octets;
        one->leg = l->self;
        one->sink = s->self;
        to_sockaddr(&l->used->where, &one->to);
        p->out_count++;
    }
    l->facts.packets_forwarded++;
    l->facts.bytes_forwarded += (uint64_t)size;
    if (octets >= 0) {
        s->packets++;
        s->octets += octets;
    }
    if (p->out_count == BATCH_OUT)
        flush(p, true);
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
    if (is_stun || (from && (is_dtls || is_rtcp)))
        hand_over(p, from, where, data, size, now);
    else if (from && !(p->shed && size > 1 && leave_behind(p, from->leg, data[1])))
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

/* See how old the last of a batch is, where datagrams queue, and what is left out for it. */
static void look_back(path *p, int received)
{
    if (received < BATCH / 2 && !p->shed)
        return;
    enum shed shed = shed_at(p->shed, age_of_last(p));
    pthread_mutex_lock(&p->state);
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

void *run(void *argument)
{
    path *p = argument;
    struct pollfd ready[2] = {{p->udp, POLLIN, 0}, {p->stop_event, POLLIN, 0}};
    for (;;) {
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (ready[1].revents)
            return NULL;
        let_callers(p);
        pthread_mutex_lock(&p->batch);
        int received = receive(p);
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
    }
}
