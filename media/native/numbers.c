/* The numbers of one outgoing stream; said in streams.h. */
#include "streams.h"

#include <string.h>

void numbers_init(numbers *n, uint32_t clock_rate, uint16_t first_seq, uint32_t first_time)
{
    memset(n, 0, sizeof *n);
    n->clock_rate = clock_rate;
    n->last_seq = less(first_seq, 1);
    n->last_time = first_time;
    n->last_id = n->last_level = -1;
}

void numbers_attach(numbers *n, uint16_t seq, uint32_t time, bool same_clock, double now)
{
    n->earlier_count = 0;
    n->now.base = seq;
    n->now.seq_shift = less((uint16_t)(n->last_seq + 1), seq);
    if (!(same_clock && n->started)) {
        double gone = n->started ? now - n->last_at : 0.0;
        int64_t ticks = (int64_t)(gone * n->clock_rate);
        n->time_shift = n->last_time + (uint32_t)(ticks > 1 ? ticks : 1) - time;
    }
    n->started = true;
}

void numbers_attach_ids(numbers *n, int picture, int level)
{
    if (picture >= 0)
        n->now.id_shift =
            n->last_id < 0 ? 0 : (uint16_t)((n->last_id + 1 - picture) & 0x7FFF);
    if (level >= 0)
        n->level_shift = n->last_level < 0 ? 0 : (uint8_t)(n->last_level + 1 - level);
}

const stretch *numbers_stretch(const numbers *n, uint16_t seq)
{
    if (less(seq, n->now.base) < 0x8000)
        return &n->now;
    for (int i = n->earlier_count - 1; i >= 0; i--)
        if (less(seq, n->earlier[i].base) < 0x8000)
            return &n->earlier[i];
    return NULL;
}

int numbers_seq_out(const numbers *n, uint16_t seq)
{
    const stretch *found = numbers_stretch(n, seq);
    return found ? (uint16_t)(seq + found->seq_shift) : -1;
}

int numbers_seq_in(const numbers *n, uint16_t seq)
{
    uint16_t source = less(seq, n->now.seq_shift);
    if (less(source, n->now.base) < 0x8000)
        return source;
    for (int i = n->earlier_count - 1; i >= 0; i--) {
        source = less(seq, n->earlier[i].seq_shift);
        if (less(source, n->earlier[i].base) < 0x8000)
            return source;
    }
    return -1;
}

uint32_t numbers_time_out(const numbers *n, uint32_t time) { return time + n->time_shift; }

void numbers_leave_out(numbers *n, uint16_t seq, int frames)
{
    if (n->now.base != seq) { /* else nothing of this stretch has been sent */
        if (n->earlier_count == MAX_STRETCHES)
            memmove(n->earlier, n->earlier + 1, (size_t)--n->earlier_count * sizeof *n->earlier);
        n->earlier[n->earlier_count++] = n->now;
    }
    n->now.base = (uint16_t)(seq + 1);
    n->now.seq_shift--;
    n->now.id_shift = (uint16_t)((n->now.id_shift - frames) & 0x7FFF);
}

bool numbers_sent(numbers *n, uint16_t seq_out, uint32_t time_out, double now)
{
    if (less(seq_out, n->last_seq) >= 0x8000)
        return false;
    n->last_seq = seq_out;
    n->last_time = time_out;
    n->last_at = now;
    /* The base trails behind, lest the wrap of 16 bits make new packets look old. */
    uint16_t source = less(seq_out, n->now.seq_shift), far = less(source, n->now.base);
    if (far > 0x4000 && far < 0x8000) {
        n->now.base = less(source, 0x2000);
        n->earlier_count = 0;
    }
    return true;
}

void numbers_sent_ids(numbers *n, int picture, int level)
{
    if (picture >= 0)
        n->last_id = (picture + n->now.id_shift) & 0x7FFF;
    if (level >= 0)
        n->last_level = (level + n->level_shift) & 0xFF;
}
