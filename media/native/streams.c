#include "streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ONE_BYTE = 0xBEDE, TWO_BYTE = 0x1000 };

static uint16_t less(uint16_t a, uint16_t b) { return (uint16_t)(a - b); }

/* --- headers (RFC 3550 section 5, RFC 8285, RFC 4588) */

int rtp_header_bytes(const uint8_t *data, int size)
{
    if (size < HEADER_BYTES || data[0] >> 6 != 2)
        return -1;
    int end = HEADER_BYTES + 4 * (data[0] & 15);
    if (data[0] & 0x10) {
        if (end + 4 > size)
            return -1;
        end += 4 + 4 * get16(data + end + 2);
    }
    return end <= size ? end : -1;
}

int rtp_padding_bytes(const uint8_t *data, int payload, int size)
{
    if (!(data[0] & 0x20) || size <= payload)
        return 0;
    int said = data[size - 1] ? data[size - 1] : 1;
    return said < size - payload ? said : size - payload;
}

static void blot(uint8_t *data, int from, int to) { memset(data + from, 0, (size_t)(to - from)); }

static places clean_short(uint8_t *data, int at, int end, const uint8_t *table, int cc, int stamp,
                          int mid)
{
    places found = {-1, 0, 0, 0};
    while (at < end) {
        if (data[at] == 0) {
            at++;
            continue;
        }
        int number = data[at] >> 4, length = (data[at] & 15) + 1, after = at + 1 + length;
        if (number == 15 || after > end) {
            blot(data, at, end);
            break;
        }
        bool kept = table[number] != 0;
        if (number == cc) {
            bool first = length == 2 && found.cc < 0;
            kept = kept && first;
            if (first)
                found.cc = get16(data + at + 1);
            if (kept)
                found.cc_at = at + 1;
        } else if (number == stamp) {
            kept = kept && length == 3 && !found.stamp_at;
            if (kept)
                found.stamp_at = at + 1;
        } else if (number == mid) {
            kept = kept && !found.mid_at;
            if (kept)
                found.mid_at = at + 1;
        }
        if (!kept)
            blot(data, at, after);
        at = after;
    }
    return found;
}

static places clean_long(uint8_t *data, int at, int end, const uint8_t *table, int cc, int stamp,
                         int mid)
{
    places found = {-1, 0, 0, 0};
    while (at < end) {
        int number = data[at];
        if (number == 0) {
            at++;
            continue;
        }
        int length = at + 2 <= end ? data[at + 1] : end, after = at + 2 + length;
        if (after > end) {
            blot(data, at, end);
            break;
        }
        bool kept = number < TABLE_IDS && table[number] != 0;
        if (number == cc) {
            kept = false;
            if (length == 2 && found.cc < 0)
                found.cc = get16(data + at + 2);
        } else if (number == stamp) {
            kept = kept && length == 3 && !found.stamp_at;
            if (kept)
                found.stamp_at = at + 2;
        } else if (number == mid) {
            kept = false;
        }
        if (!kept)
            blot(data, at, after);
        at = after;
    }
    return found;
}

places rtp_clean_extensions(uint8_t *data, int payload, const uint8_t table[TABLE_IDS], int cc,
                            int stamp, int mid)
{
    int at = HEADER_BYTES + 4 * (data[0] & 15);
    uint16_t form = get16(data + at);
    at += 4;
    if (form == ONE_BYTE)
        return clean_short(data, at, payload, table, cc, stamp, mid);
    if ((form & 0xFFF0) == TWO_BYTE)
        return clean_long(data, at, payload, table, cc, stamp, mid);
    blot(data, at, payload);
    return (places){-1, 0, 0, 0};
}

void rtp_rename_extensions(uint8_t *data, int payload, const uint8_t table[TABLE_IDS])
{
    int at = HEADER_BYTES + 4 * (data[0] & 15);
    bool is_short = get16(data + at) == ONE_BYTE;
    at += 4;
    while (at < payload) {
        uint8_t head = data[at];
        if (head == 0) {
            at++;
            continue;
        }
        int number = is_short ? head >> 4 : head & 15;
        int after = at + 2 + (is_short ? head & 15 : at + 1 < payload ? data[at + 1] : 0);
        if (after > payload) /* not what was cleaned */
            after = payload;
        int renamed = table[number] & 15;
        if (renamed == 0)
            blot(data, at, after);
        else
            data[at] = (uint8_t)(is_short ? renamed << 4 | (head & 15) : renamed);
        at = after;
    }
}

void rtp_put_mid(uint8_t *data, int mid_at, const uint8_t *mid, int mid_size)
{
    uint8_t head = data[mid_at - 1];
    int length = (head & 15) + 1;
    blot(data, mid_at - 1, mid_at + length);
    if (mid_size > 0 && mid_size <= length) {
        data[mid_at - 1] = (uint8_t)((head & 0xF0) | (mid_size - 1));
        memcpy(data + mid_at, mid, (size_t)mid_size);
    }
}

int rtp_unwrap_rtx(uint8_t *data, int payload, int *size, uint8_t payload_type, uint32_t ssrc)
{
    int bytes = *size - rtp_padding_bytes(data, payload, *size);
    if (bytes - payload < 3)
        return -1;
    uint16_t seq = get16(data + payload);
    memmove(data + payload, data + payload + 2, (size_t)(bytes - payload - 2));
    data[0] &= 0xDF;
    data[1] = (uint8_t)((data[1] & 0x80) | payload_type);
    put16(data + 2, seq);
    put32(data + 8, ssrc);
    *size = bytes - 2;
    return seq;
}

/* --- what a packet is to its frame (RFC 7741, RFC 6184) */

static const frame UNKNOWN_FRAME = {SYNC, 0, 0};

/* The base layer is needed, whatever the N bit says. */
static int layered(int flags, uint8_t layer)
{
    if ((layer & 0xC0) == 0)
        return flags & LONG_ID;
    return (flags & LONG_ID) | NEEDLESS | (layer & 0x20 ? SYNC : 0);
}

static frame read_vp8(const uint8_t *data, int payload, int size)
{
    uint8_t first = data[payload];
    int at = payload + 1;
    frame f = {first & 0x20 ? SYNC | NEEDLESS : SYNC, 0, 0};
    if (first & 0x80) {
        if (at >= size)
            return UNKNOWN_FRAME;
        uint8_t more = data[at++];
        if (more & 0x80) {
            if (at + 2 > size)
                return UNKNOWN_FRAME;
            f.id_at = at;
            if (data[at] & 0x80) {
                f.flags |= LONG_ID;
                at++;
            }
            at++;
        }
        if (more & 0x40)
            f.level_at = at++;
        if (more & 0x30) {
            if (at >= size)
                return UNKNOWN_FRAME;
            if (more & 0x20)
                f.flags = layered(f.flags, data[at]);
            at++;
        }
    }
    /* The start of partition 0, whose first bit says that other frames are needed. */
    if ((first & 0x17) == 0x10 && at < size && !(data[at] & 1))
        f.flags |= BEGINS_KEY;
    return at <= size ? f : UNKNOWN_FRAME;
}

enum { NAL_IDR = 5, NAL_SPS = 7, NAL_STAP_A = 24, NAL_FU_A = 28 };

static int aggregated(const uint8_t *data, int at, int size)
{
    int flags = 0;
    while (at + 3 <= size) {
        int length = get16(data + at), kind = data[at + 2] & 0x1F;
        if (length == 0 || at + 2 + length > size)
            break;
        if (kind == NAL_SPS)
            return BEGINS_KEY;
        if (kind == NAL_IDR)
            flags = BEGINS_KEY | BARE;
        at += 2 + length;
    }
    return flags;
}

static frame read_h264(const uint8_t *data, int payload, int size)
{
    uint8_t first = data[payload];
    int flags = first & 0x60 ? SYNC : SYNC | NEEDLESS;
    switch (first & 0x1F) {
    case NAL_SPS:
        flags |= BEGINS_KEY;
        break;
    case NAL_IDR:
        flags |= BEGINS_KEY | BARE;
        break;
    case NAL_FU_A:
        if (payload + 1 < size && (data[payload + 1] & 0x9F) == (0x80 | NAL_IDR))
            flags |= BEGINS_KEY | BARE;
        break;
    case NAL_STAP_A:
        flags |= aggregated(data, payload + 1, size);
        break;
    default:
        break;
    }
    return (frame){flags, 0, 0};
}

frame frame_read(int codec, const uint8_t *data, int payload, int size)
{
    if (codec == OPUS)
        return (frame){0, 0, 0};
    if (payload >= size)
        return UNKNOWN_FRAME;
    return codec == VP8 ? read_vp8(data, payload, size) : read_h264(data, payload, size);
}

int frame_picture_id(const uint8_t *data, frame f)
{
    if (f.flags & LONG_ID)
        return get16(data + f.id_at) & 0x7FFF;
    return f.id_at ? data[f.id_at] & 0x7F : 0;
}

void frame_shift_ids(uint8_t *data, frame f, int id_shift, int level_shift)
{
    if (!f.id_at) /* without one, TL0PICIDX says nothing */
        return;
    if (f.flags & LONG_ID)
        put16(data + f.id_at, (uint16_t)((get16(data + f.id_at) + id_shift) | 0x8000));
    else
        data[f.id_at] = (uint8_t)((data[f.id_at] + id_shift) & 0x7F);
    if (f.level_at)
        data[f.level_at] = (uint8_t)(data[f.level_at] + level_shift);
}

void frame_vp8_size(const uint8_t *data, int payload, int size, int *width, int *height)
{
    *width = *height = 0;
    for (int at = payload; at + 7 <= size && at + 3 <= payload + 12; at++)
        if (data[at] == 0x9D && data[at + 1] == 0x01 && data[at + 2] == 0x2A) {
            *width = (data[at + 3] | data[at + 4] << 8) & 0x3FFF;
            *height = (data[at + 5] | data[at + 6] << 8) & 0x3FFF;
            return;
        }
}

/* --- numbers of one outgoing stream */

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

/* --- what arrived of one incoming stream (RFC 3550 sections 6.4.1, A.1 and A.3) */

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

/* --- the last packets of one source */

bool cache_init(cache *c, int slots)
{
    c->mask = slots - 1;
    c->empty = false;
    c->seqs = malloc((size_t)slots * sizeof *c->seqs);
    c->sizes = calloc((size_t)slots, sizeof *c->sizes);
    c->most = calloc((size_t)slots, sizeof *c->most);
    c->data = calloc((size_t)slots, SLOT_BYTES);
    if (!c->seqs || !c->sizes || !c->most || !c->data) {
        cache_free(c);
        return false;
    }
    for (int slot = 0; slot < slots; slot++)
        c->seqs[slot] = -1;
    c->empty = true;
    return true;
}

void cache_free(cache *c)
{
    free(c->seqs);
    free(c->sizes);
    free(c->most);
    free(c->data);
    memset(c, 0, sizeof *c);
}

void cache_store(cache *c, uint16_t seq, const uint8_t *packet, int size)
{
    int slot = seq & c->mask;
    int32_t held = c->seqs[slot];
    if (held >= 0 && less((uint16_t)held, seq) < 0x8000)
        return;
    c->seqs[slot] = size <= SLOT_BYTES ? seq : -1;
    if (size > SLOT_BYTES)
        return;
    memcpy(c->data + (size_t)slot * SLOT_BYTES, packet, (size_t)size);
    if (size > c->most[slot])
        c->most[slot] = (uint16_t)size;
    c->sizes[slot] = (uint16_t)size;
    c->empty = false;
}

const uint8_t *cache_find(const cache *c, uint16_t seq, int *size)
{
    int slot = seq & c->mask;
    if (c->seqs[slot] != seq)
        return NULL;
    *size = c->sizes[slot];
    return c->data + (size_t)slot * SLOT_BYTES;
}

bool cache_has(const cache *c, uint16_t seq) { return c->seqs[seq & c->mask] == seq; }

bool cache_resize(cache *c, int slots)
{
    cache other;
    if (!cache_init(&other, slots))
        return false;
    for (int slot = 0; slot <= c->mask; slot++)
        if (c->seqs[slot] >= 0)
            cache_store(&other, (uint16_t)c->seqs[slot], c->data + (size_t)slot * SLOT_BYTES,
                        c->sizes[slot]);
    cache_clear(c);
    cache_free(c);
    *c = other;
    return true;
}

int slots_for(double packets, int least, int most)
{
    int slots = least;
    while (slots < packets && slots < most)
        slots *= 2;
    return slots;
}

void cache_clear(cache *c)
{
    if (c->empty)
        return;
    c->empty = true;
    for (int slot = 0; slot <= c->mask; slot++) {
        c->seqs[slot] = -1;
        memset(c->data + (size_t)slot * SLOT_BYTES, 0, c->most[slot]);
        c->most[slot] = 0;
    }
}
