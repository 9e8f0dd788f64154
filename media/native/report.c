/* RTCP of a leg: what Python gives is sealed and sent, and senders are told of their own accord when
 * their packets arrived (rules 30 and 31). All of it runs under `state`, on the caller's thread.
 *
 * The feedback is bit for bit that of media/transport_cc.py, whose names stand here too.
 */
#include "inside.h"

enum { MAX_JUMP = 1000, MAX_SYMBOLS = 2 * MAX_JUMP + 1, MAX_DELTA_BYTES = 602, FEEDBACK = 205 };
enum symbol { NONE, SMALL, LARGE };
static const double TICK_SECONDS = 0.00025, TELL_SECONDS = 0.1, TELL_LATE_SECONDS = 0.15;
static const int TICKS_PER_REFERENCE = 256;

typedef struct {
    int64_t number; /* extended by the number of wraps */
    double at;
} arrival;

/* --- RTCP out */

static bool send_sealed(path *p, const leg *l, const uint8_t *data, int size, double now)
{
    if (l->used->where.kind & STREAM)
        return tell_python(p, TO_STREAM, &l->used->where, data, size, now);
    struct sockaddr_in6 to;
    socklen_t length = to_sockaddr(&l->used->where, &to);
    return sendto(p->udp, data, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
                  length) >= 0;
}

/* Seal the RTCP of `size` bytes in p->rtcp and send it by itself; tell whether it went. */
static bool send_rtcp(path *p, leg *l, int size, double now)
{
    if (!may_send(l, now) || p->protect_rtcp(l->outbound, p->rtcp, &size) != 0)
        return false;
    return send_sealed(p, l, p->rtcp, size, now);
}

int leg_control(path *p, handle h, const uint8_t *data, int size, double now)
{
    if (size < 8 || size > MAX_RTCP_BYTES)
        return FULL;
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    memcpy(p->rtcp, data, (size_t)size);
    LEAVE(send_rtcp(p, l, size, now));
}

/* --- arrivals */

static void put_in_order(arrival *pending, int *count, int64_t number, double at)
{
    int place = *count;
    while (place > 0 && pending[place - 1].number > number)
        place--;
    if (place > 0 && pending[place - 1].number == number)
        return; /* the first one counts */
    memmove(pending + place + 1, pending + place, (size_t)(*count - place) * sizeof *pending);
    pending[place] = (arrival){number, at};
    ++*count;
}

/* Extend the numbers of what came and put them in order in `pending`; return how many they are. */
static int sort_arrivals(leg *l, arrival *pending)
{
    told *t = &l->told;
    int count = 0;
    for (int i = 0; i < l->arrival_count; i++) {
        const passage *one = &l->arrivals[i];
        if (!t->begun) {
            t->begun = true;
            t->highest = t->next = one->number;
        }
        int ahead = (uint16_t)(one->number - t->highest);
        int64_t number = t->highest + ahead;
        if (ahead >= 0x8000) {
            number -= 0x10000;
        } else {
            t->highest = number;
            if (ahead > MAX_JUMP) {
                count = 0;
                t->next = number;
            }
        }
        if (number >= t->next)
            put_in_order(pending, &count, number, one->at);
    }
    l->arrival_count = 0;
    return count;
}

/* --- feedback packets */

static int run_length(const uint8_t *symbols, int count)
{
    int length = 1;
    while (length < count && symbols[length] == symbols[0] && length < 8191)
        length++;
    return length;
}

/* Write packet statuses to `out`: a run where one is long enough, else vectors of seven. */
static int put_chunks(uint8_t *out, const uint8_t *symbols, int count)
{
    int written = 0;
    for (int at = 0; at < count; written += 2) {
        int run = run_length(symbols + at, count - at);
        if (run >= 7 || at + run == count) {
            put16(out + written, (uint16_t)(symbols[at] << 13 | run));
            at += run;
            continue;
        }
        int word = 0xC000, seven = count - at < 7 ? count - at : 7;
        for (int i = 0; i < seven; i++)
            word |= symbols[at + i] << (12 - 2 * i);
        put16(out + written, (uint16_t)word);
        at += 7;
    }
    return written;
}

typedef struct { /* one packet in the making */
    uint8_t symbols[MAX_SYMBOLS], deltas[MAX_DELTA_BYTES];
    int symbol_count, delta_bytes;
} statuses;

/* Take as many arrivals as fit one packet; return their count. */
static int take_statuses(statuses *s, const arrival *pending, int count, int64_t base,
                         int64_t reference)
{
    int64_t last = reference * TICKS_PER_REFERENCE;
    int taken = 0;
    s->symbol_count = s->delta_bytes = 0;
    for (; taken < count; taken++) {
        int64_t tick = (int64_t)(pending[taken].at / TICK_SECONDS), delta = tick - last;
        int64_t step = pending[taken].number - base;
        if (delta < -0x8000 || delta > 0x7FFF || step > 2 * MAX_JUMP || s->delta_bytes > 600)
            break;
        while (s->symbol_count < step)
            s->symbols[s->symbol_count++] = NONE;
        bool small = delta >= 0 && delta <= 255;
        s->symbols[s->symbol_count++] = small ? SMALL : LARGE;
        if (!small)
            s->deltas[s->delta_bytes++] = (uint8_t)(delta >> 8);
        s->deltas[s->delta_bytes++] = (uint8_t)delta;
        last = tick;
    }
    return taken;
}

/* Write a packet about the first of `pending` to `out` and its size to `size`; return how many. */
static int write_feedback(uint8_t *out, leg *l, uint32_t media, const arrival *pending, int count,
                          int *size)
{
    statuses s;
    int64_t base = pending[0].number < l->told.next ? pending[0].number : l->told.next;
    if (pending[0].number - base > MAX_JUMP)
        base = pending[0].number;
    int64_t reference = (int64_t)(pending[0].at / TICK_SECONDS) / TICKS_PER_REFERENCE;
    int taken = take_statuses(&s, pending, count, base, reference);
    put16(out + 12, (uint16_t)base);
    put16(out + 14, (uint16_t)s.symbol_count);
    put32(out + 16, (uint32_t)(reference & 0xFFFFFF) << 8 | l->told.count++);
    int end = 20 + put_chunks(out + 20, s.symbols, s.symbol_count);
    memcpy(out + end, s.deltas, (size_t)s.delta_bytes);
    end += s.delta_bytes;
    while (end % 4)
        out[end++] = 0;
    out[0] = 0x8F;
    out[1] = FEEDBACK;
    put16(out + 2, (uint16_t)(end / 4 - 1));
    put32(out + 4, l->told.ssrc);
    put32(out + 8, media);
    *size = end;
    return taken;
}

/* The SSRC that the feedback is about: of pictures, else of sound; 0 while there is none. */
static uint32_t media_of(const path *p, const leg *l)
{
    uint32_t found = 0;
    for (int i = 0; i < l->route_count; i++) {
        const source *s = pool_get(&p->sources, l->routes[i].source);
        if (s && s->ssrc >= 0 && (found == 0 || s->codec != OPUS))
            found = (uint32_t)s->ssrc;
    }
    return found;
}

/* Tell the sender what arrived. In the way of a packet it leaves with the batch, which costs less. */
static void tell(path *p, leg *l, double now, bool in_batch)
{
    uint32_t media = media_of(p, l);
    if (!media || !may_send(l, now))
        return;
    arrival pending[MAX_ARRIVALS + 1];
    int count = sort_arrivals(l, pending), taken = 0, size;
    l->told.at = now;
    for (int first = 0; first < count; first += taken) {
        uint8_t *out = in_batch ? blank(p) : p->rtcp;
        taken = write_feedback(out, l, media, pending + first, count - first, &size);
        l->told.next = pending[first + taken - 1].number + 1;
        if (in_batch)
            post_control(p, l, size, now);
        else
            send_rtcp(p, l, size, now);
    }
}

void tell_with_packet(path *p, leg *l, double now)
{
    if (l->told.wanted && now - l->told.at >= TELL_SECONDS)
        tell(p, l, now, true);
}

void tell_late(path *p, leg *l, double now)
{
    if (l->told.wanted && l->arrival_count && now - l->told.at >= TELL_LATE_SECONDS)
        tell(p, l, now, false);
}

int leg_tell(path *p, handle h, uint32_t ssrc)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    l->told.ssrc = ssrc;
    l->told.wanted = true;
    LEAVE(0);
}

/* --- numbers given out */

void note_sent(leg *l, uint16_t number, int size, double now)
{
    l->sent_number = (uint16_t)(number + 1);
    l->sent[number % MAX_SENT] = (passage){.at = now, .number = number, .size = (uint16_t)size};
}

int leg_sent(path *p, handle h, int first, int count, passage *out)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    int found = 0;
    first &= 0xFFFF;
    for (int i = 0; i < count && i < MAX_SENT; i++) {
        passage *one = &l->sent[(first + i) % MAX_SENT];
        if (one->size && (uint16_t)(one->number - first) < count) {
            out[found++] = *one;
            one->size = 0;
        }
    }
    LEAVE(found);
}
