/* What arrived of one incoming stream (RFC 3550 sections 6.4.1, A.1 and A.3), and which numbers
 * have not come; said in streams.h. */
#include "streams.h"

#include <math.h>
#include <string.h>

void reception_init(reception *r, uint32_t clock_rate)
{
    memset(r, 0, sizeof *r);
    r->clock_rate = clock_rate;
    r->stray = -1;
    r->first = r->highest = -1;
}

static bool is_here(const reception *r, uint16_t seq)
{
    return r->here[seq % MAX_LATE / 64] >> (seq % 64) & 1;
}

static void set_here(reception *r, uint16_t seq, bool here)
{
    uint64_t bit = (uint64_t)1 << (seq % 64);
    uint64_t *word = &r->here[seq % MAX_LATE / 64];
    *word = here ? *word | bit : *word & ~bit;
}

static void advance(reception *r, uint16_t seq, int ahead)
{
    if (ahead >= MAX_LATE)
        memset(r->here, 0, sizeof r->here);
    else
        for (int step = 1; step < ahead; step++)
            set_here(r, less(seq, (uint16_t)step), false);
    set_here(r, seq, true);
    r->received++;
    r->highest += ahead;
}

static void measure(reception *r, uint32_t time, double now)
{
    double transit = now * r->clock_rate - time;
    if (r->measured) {
        double change = fabs(transit - r->transit);
        if (change < 10.0 * r->clock_rate) /* not around a wrap of the timestamp */
            r->jitter += (change - r->jitter) / 16;
    }
    r->transit = transit;
    r->measured = true;
}

static enum verdict late(reception *r, uint16_t seq)
{
    if (is_here(r, seq))
        return REPEATED;
    set_here(r, seq, true);
    r->received++;
    return LATE;
}

enum verdict reception_note(reception *r, uint16_t seq, uint32_t time, double now)
{
    if (r->first < 0) {
        r->first = r->highest = seq;
        r->received = 1;
        set_here(r, seq, true);
        return NEW;
    }
    uint16_t ahead = less(seq, (uint16_t)r->highest);
    if (ahead > 0 && ahead <= MAX_DROPOUT) {
        r->stray = -1;
        advance(r, seq, ahead);
        measure(r, time, now);
        return NEW;
    }
    if ((uint16_t)-ahead < MAX_LATE)
        return late(r, seq);
    int32_t expected = r->stray;
    r->stray = (uint16_t)(seq + 1);
    return seq == expected ? JUMP : STRAY;
}

int64_t reception_lost(const reception *r)
{
    return r->first < 0 ? 0 : r->highest - r->first + 1 - r->received;
}

/* --- the numbers that have not come */

static int find_gap(const missing *m, uint16_t seq)
{
    for (int i = 0; i < m->count; i++)
        if (m->gaps[i].seq == seq)
            return i;
    return -1;
}

static const double MISSING_SECONDS = 1.5;

bool missing_note(missing *m, uint16_t after, uint16_t before, double now)
{
    int count = (uint16_t)(before - after - 1);
    missing_expire(m, now);
    if (m->count + count > MAX_MISSING) {
        m->count = 0;
        return false;
    }
    for (int step = 1; step <= count; step++) {
        uint16_t seq = (uint16_t)(after + step);
        int at = find_gap(m, seq);
        m->gaps[at < 0 ? m->count++ : at] = (gap){now, seq};
    }
    return true;
}

bool missing_has(const missing *m, uint16_t seq) { return find_gap(m, seq) >= 0; }

void missing_arrived(missing *m, uint16_t seq)
{
    int at = find_gap(m, seq);
    if (at < 0)
        return;
    m->count--;
    memmove(m->gaps + at, m->gaps + at + 1, (size_t)(m->count - at) * sizeof *m->gaps);
}

void missing_forget_before(missing *m, uint16_t seq)
{
    int kept = 0;
    for (int i = 0; i < m->count; i++) {
        uint16_t ahead = less(seq, m->gaps[i].seq);
        if (ahead == 0 || ahead >= 0x8000)
            m->gaps[kept++] = m->gaps[i];
    }
    m->count = kept;
}

void missing_expire(missing *m, double now)
{
    int kept = 0;
    for (int i = 0; i < m->count; i++)
        if (now - m->gaps[i].at <= MISSING_SECONDS)
            m->gaps[kept++] = m->gaps[i];
    m->count = kept;
}
