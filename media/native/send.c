/* What leaves: datagrams wait in `out` until the batch is done, and leave in as few messages as the
 * kernel allows. All of it runs under `batch`; path.c says what that means.
 *
 * Datagrams of one size for one address leave as one message (UDP_SEGMENT), which the kernel or the
 * network card cuts again: on the wire nothing changes. Their order for each address stays. Where
 * that is refused (a line with a small MTU, a card without checksums) the leg's leave one by one.
 */
#include "inside.h"

#include <errno.h>
#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { MAX_GROUP = 32, MAX_GROUP_BYTES = 60000, NEVER = -1 };

socklen_t to_sockaddr(const address *where, struct sockaddr_in6 *name)
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

bool may_send(const leg *l, double now)
{
    return l->outbound && l->used && now <= l->used->until;
}

/* --- groups */

/* Find the group that the letter may join, NEVER if there is none. Only the newest of its address
 * will do, or the order would change. */
static int group_for(const path *p, const letter *one)
{
    for (int n = p->group_count - 1; n >= 0; n--) {
        const group *g = &p->groups[n];
        const letter *first = &p->out[g->first];
        if (first->leg != one->leg || memcmp(&first->to, &one->to, sizeof one->to) != 0)
            continue;
        bool fits = !one->alone && !g->closed && one->size <= first->size &&
                    g->count < MAX_GROUP && g->bytes + one->size <= MAX_GROUP_BYTES;
        return fits ? n : NEVER;
    }
    return NEVER;
}

/* Put the letters into groups; each holds its letters in order. */
static void gather(path *p)
{
    p->group_count = 0;
    for (int i = 0; i < p->out_count; i++) {
        letter *one = &p->out[i];
        one->next = NEVER;
        int n = group_for(p, one);
        if (n == NEVER) {
            p->groups[p->group_count++] =
                (group){.first = i, .last = i, .count = 1, .bytes = one->size};
            continue;
        }
        group *g = &p->groups[n];
        p->out[g->last].next = i;
        g->last = i;
        g->count++;
        g->bytes += one->size;
        g->closed = one->size < p->out[g->first].size; /* a shorter one ends a message */
    }
}

static void address_to(struct mmsghdr *head, letter *one, struct iovec *parts, int count)
{
    bool four = one->to.sin6_family == AF_INET;
    head->msg_hdr = (struct msghdr){
        .msg_name = &one->to,
        .msg_namelen = four ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
        .msg_iov = parts,
        .msg_iovlen = (size_t)count,
    };
}

static void say_size(struct msghdr *head, segment_note *note, int size)
{
    uint16_t bytes = (uint16_t)size;
    head->msg_control = note->bytes;
    head->msg_controllen = sizeof note->bytes;
    struct cmsghdr *control = CMSG_FIRSTHDR(head);
    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof bytes);
    memcpy(CMSG_DATA(control), &bytes, sizeof bytes);
}

/* Write one message for each group. */
static void address_groups(path *p)
{
    int part = 0;
    for (int n = 0; n < p->group_count; n++) {
        const group *g = &p->groups[n];
        address_to(&p->headers[n], &p->out[g->first], &p->parts[part], g->count);
        for (int i = g->first; i != NEVER; i = p->out[i].next)
            p->parts[part++] = (struct iovec){p->out[i].data, (size_t)p->out[i].size};
        if (g->count > 1)
            say_size(&p->headers[n].msg_hdr, &p->notes[n], p->out[g->first].size);
    }
}

/* --- what was refused */

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

/* A message was refused. Its letters are tried one by one if that may be because they are several;
 * what is refused alone is lost, as on any line (rule 23). Under `state`. */
static void refused(path *p, const group *g, int why)
{
    bool full = why == EAGAIN || why == EWOULDBLOCK || why == ENOBUFS || why == ENOMEM;
    bool again = g->count > 1 && !full;
    leg *l = pool_get(&p->legs, p->out[g->first].leg);
    if (again && l)
        l->alone = true;
    for (int i = g->first; i != NEVER; i = p->out[i].next) {
        struct mmsghdr head;
        struct iovec part = {p->out[i].data, (size_t)p->out[i].size};
        address_to(&head, &p->out[i], &part, 1);
        if (!again || sendmsg(p->udp, &head.msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            take_back(p, &p->out[i]);
    }
}

/* Send what is in `out`; `holds` says whether under `state` as well. */
void flush(path *p, bool holds)
{
    gather(p);
    address_groups(p);
    int sent = 0;
    while (sent < p->group_count) {
        int count = sendmmsg(p->udp, p->headers + sent, (unsigned)(p->group_count - sent),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) {
            sent += count;
            continue;
        }
        int why = errno; /* of the first of the rest */
        if (!holds)
            pthread_mutex_lock(&p->state);
        refused(p, &p->groups[sent++], why);
        if (!holds)
            pthread_mutex_unlock(&p->state);
    }
    p->out_count = 0;
}

/* --- one packet */

/* The next letter to write; there is always room for one. */
uint8_t *blank(path *p) { return p->out[p->out_count].data; }

/* Address the next letter, of `size` bytes, to where the leg is. */
static void put_out(path *p, const leg *l, int size)
{
    letter *one = &p->out[p->out_count++];
    one->size = size;
    one->alone = l->alone;
    to_sockaddr(&l->used->where, &one->to);
}

/* Seal the RTCP of `size` bytes in the next letter and address it; nobody counts it. */
void post_control(path *p, leg *l, int size, double now)
{
    letter *one = &p->out[p->out_count];
    if (p->protect_rtcp(l->outbound, one->data, &size) != 0)
        return;
    one->octets = -1;
    one->leg = one->sink = 0;
    if (l->used->where.kind & STREAM)
        tell_python(p, TO_STREAM, &l->used->where, one->data, size, now);
    else
        put_out(p, l, size);
    if (p->out_count == BATCH_OUT)
        flush(p, true);
}

/* Seal the packet of `size` bytes in the next letter and address it. `octets` of payload are
 * counted for the sink, -1 for a repetition; `number` is its transport-wide one or -1. */
void post(path *p, leg *l, sink *s, int size, int octets, int number, double now)
{
    letter *one = &p->out[p->out_count];
    if (p->protect(l->outbound, one->data, &size) != 0) {
        l->facts.refused++;
        return;
    }
    if (number >= 0)
        note_sent(l, (uint16_t)number, size, now);
    if (l->used->where.kind & STREAM) {
        if (!tell_python(p, TO_STREAM, &l->used->where, one->data, size, now))
            return;
    } else {
        one->octets = octets;
        one->leg = l->self;
        one->sink = s->self;
        put_out(p, l, size);
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
