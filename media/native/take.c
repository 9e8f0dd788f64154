/* The way of a packet in: opened in place, counted, kept, offered to who listens (forward.c). All of it
 * runs under `batch` and `state` (path.c). "Rule N" is one of media/path.py. */
#include "inside.h"

static const double TAKEOVER_SECONDS = 0.5;
static const places NO_PLACES = {-1, 0, 0, 0};
enum { MEASURE_BYTES = 1700000, PACKET_COST_BYTES = 400 };

/* --- sources */

/* Rule 9. */
static bool admits(source *s, uint32_t ssrc, double now)
{
    bool announced = s->announced_count == 0;
    for (int i = 0; i < s->announced_count; i++)
        announced = announced || s->announced[i] == ssrc;
    if (!announced)
        return false;
    if (s->ssrc >= 0) {
        if (now - s->heard_at < TAKEOVER_SECONDS)
            return false;
        replace(s);
    }
    s->ssrc = ssrc;
    return true;
}

/* Rules 10 and 11: what the packet is to those before, REPEATED when it is of no use. */
static enum verdict count(source *s, uint16_t seq, uint32_t time, double now)
{
    int64_t before = s->reception.highest;
    enum verdict verdict = reception_note(&s->reception, seq, time, now);
    if (verdict == NEW) {
        bool skipped = before >= 0 && s->reception.highest - before > 1;
        if (skipped && s->repairable && s->open) {
            if (!s->skips && !missing_note(&s->missing, (uint16_t)before, seq, now))
                s->wanted = true;
            s->skips = false;
        }
    } else if (verdict == LATE) {
        missing_arrived(&s->missing, seq);
    } else if (verdict == JUMP) {
        begin_count(s);
        interrupt(s);
        return reception_note(&s->reception, seq, time, now);
    } else {
        return REPEATED;
    }
    return verdict;
}

/* Note the beginning of a keyframe, and tell whether it is one of its own (rule 14). */
static bool begin_keyframe(source *s, uint16_t seq, uint32_t time, frame f, double now)
{
    if (time == s->key_time)
        return false;
    if (s->key_seq >= 0 && (uint16_t)(seq - s->key_seq) >= 0x8000)
        return false; /* one before the newest */
    s->keyframes++;
    s->wanted = false;
    s->key_seq = seq;
    s->key_time = time;
    s->key_at = now;
    if (!(f.flags & BARE))
        missing_forget_before(&s->missing, seq);
    return true;
}

static void copy_to_taps(path *p, const source *s, const uint8_t *data, int size, double now)
{
    for (int i = 0; i < MAX_TAPS; i++) {
        tap *t = pool_get(&p->taps, s->taps[i]);
        if (!t)
            continue;
        uint16_t bytes = (uint16_t)size;
        if (t->size - t->used < size + TAP_HEAD_BYTES) {
            t->lost++;
            continue;
        }
        memcpy(t->data + t->used, &now, sizeof now); /* little-endian machines alone */
        memcpy(t->data + t->used + sizeof now, &bytes, sizeof bytes);
        memcpy(t->data + t->used + TAP_HEAD_BYTES, data, (size_t)size);
        t->used += size + TAP_HEAD_BYTES;
    }
}

/* --- in */

static void read_picture_size(source *s, const packet *k)
{
    if (s->codec == VP8)
        frame_vp8_size(k->data, k->payload, k->size, &s->width, &s->height);
    else if (!(k->frame.flags & BARE)) /* an IDR alone continues the parameters before */
        frame_h264_size(k->data, k->payload, k->size, &s->width, &s->height);
}

static void pass(path *p, source *s, packet *k, double now)
{
    enum verdict verdict = count(s, k->seq, k->time, now);
    if (verdict == REPEATED)
        return;
    s->octets += k->size;
    k->is_new = verdict == NEW;
    bool fresh = k->is_new && k->time != s->newest_time, key = false;
    if (fresh) {
        s->newest_time = k->time;
        s->frames++;
    }
    if (!s->open)
        return;
    k->frame = frame_read(s->codec, k->data, k->payload, k->size);
    if (k->frame.flags & BEGINS_KEY) {
        key = begin_keyframe(s, k->seq, k->time, k->frame, now);
        if (key)
            read_picture_size(s, k);
    }
    cache_store(&s->cache, k->seq, k->data, k->size);
    copy_to_taps(p, s, k->data, k->size, now);
    for (int i = 0; i < s->sink_count; i++) {
        sink *listener = pool_get(&p->sinks, s->sinks[i]);
        if (listener)
            offer(p, listener, s, k, fresh, key, now);
    }
}

/* Tell whether the packet `seq`, of which a later one tells, has not come. */
static bool lacks(const source *s, uint16_t seq)
{
    int64_t highest = s->reception.highest;
    uint16_t ahead = (uint16_t)(seq - highest);
    return highest >= 0 && ((ahead > 0 && ahead < MAX_DROPOUT) || missing_has(&s->missing, seq));
}

/* Make the packet a plain one; false for none. The one before that it carries is passed on first, if
 * that is not here (rule 33). */
static bool unwrap(path *p, source *s, packet *k, int carries, double now)
{
    red r;
    if (!red_read(k->data, k->payload, k->size, carries, &r))
        return false;
    packet before = *k;
    before.seq--;
    if (r.again_size && lacks(s, before.seq)) {
        before.data = p->before;
        before.time -= (uint32_t)r.behind;
        before.size = red_copy_before(k->data, k->payload, &r, carries, p->before);
        s->repaired++;
        pass(p, s, &before, now);
    }
    k->size = red_unwrap_main(k->data, k->payload, &r, carries);
    return true;
}

static bool knows_ssrc(const leg *l, uint32_t ssrc)
{
    for (int i = 0; i < l->ssrc_count; i++)
        if (l->ssrcs[i] == ssrc)
            return true;
    return false;
}

/* Rule 5. */
static void follow(leg *l, const address *where)
{
    line *from = line_of(l, where);
    bool live = l->used == from && memcmp(&l->facts.heard_from, where, sizeof *where) == 0;
    if (!from || live)
        return;
    l->facts.heard_from = *where;
    l->moved = l->moved || l->used != from;
    use_line(l, from);
}

/* Open the packet and note that the party is there (rules 2 to 5); its new size, or -1. */
static int open_rtp(path *p, leg *l, const address *where, uint8_t *data, int size, double now)
{
    if (!l->inbound || size < HEADER_BYTES || size > MAX_RTP_BYTES)
        return -1;
    uint32_t ssrc = get32(data + 8);
    bool known = knows_ssrc(l, ssrc);
    if (!known && l->ssrc_count == MAX_SSRCS)
        return -1;
    int cost = size + PACKET_COST_BYTES;
    if (!bucket_has(&l->measure, MEASURE_BYTES, MEASURE_BYTES, now)) {
        p->facts.excess++;
        return -1;
    }
    if (p->unprotect(l->inbound, data, &size) != 0) {
        l->facts.refused++;
        return -1;
    }
    l->measure.tokens -= cost;
    if (!known)
        l->ssrcs[l->ssrc_count++] = ssrc;
    l->facts.heard_at = now;
    follow(l, where);
    return size;
}

/* Rule 29: tell whether a packet is left out because it is late, and count it. One under an SSRC
 * that never authenticated is looked at as usual. */
bool leave_behind(path *p, const leg *l, const uint8_t *data, int size)
{
    if (size < HEADER_BYTES || !knows_ssrc(l, get32(data + 8)))
        return false;
    int index = l->route_of[data[1] & 0x7F];
    source *s = index ? pool_get(&p->sources, l->routes[index - 1].source) : NULL;
    if (!s || (p->shed == SHED_PICTURES && s->codec == OPUS))
        return false;
    p->facts.stale++;
    if (s->behind != p->spell) {
        s->behind = p->spell;
        s->skips = true;
        if (s->codec != OPUS)
            interrupt(s);
    }
    return true;
}

/* Rules 6 to 9. */
void take_rtp(path *p, leg *l, const address *where, uint8_t *data, int size, double now)
{
    size = open_rtp(p, l, where, data, size, now);
    if (size < 0)
        return;
    packet k = {.data = data, .payload = rtp_header_bytes(data, size), .places = NO_PLACES};
    int index = l->route_of[data[1] & 0x7F];
    const route *way = &l->routes[index - (index > 0)];
    source *s = index ? pool_get(&p->sources, way->source) : NULL;
    if (k.payload < 0 || !s)
        return;
    l->facts.packets_received++;
    l->facts.bytes_received += (uint64_t)size;
    uint32_t ssrc = get32(data + 8);
    int seq = get16(data + 2);
    if (data[0] & 0x10) {
        k.places =
            rtp_clean_extensions(data, k.payload, way->table, way->cc, way->stamp, way->mid);
        if (k.places.cc >= 0 && l->arrival_count < MAX_ARRIVALS)
            l->arrivals[l->arrival_count++] =
                (passage){.at = now, .number = (uint16_t)k.places.cc};
        if (k.places.cc >= 0)
            tell_with_packet(p, l, now);
    }
    if (way->repairs >= 0) {
        if (s->ssrc < 0)
            return;
        seq = rtp_unwrap_rtx(data, k.payload, &size, (uint8_t)way->repairs, (uint32_t)s->ssrc);
        if (seq < 0 || !missing_has(&s->missing, (uint16_t)seq))
            return;
        s->repaired++;
    } else if (ssrc == s->ssrc || admits(s, ssrc, now)) {
        s->heard_at = now;
    } else {
        return;
    }
    k.size = size;
    k.seq = (uint16_t)seq;
    k.time = get32(data + 4);
    if (!way->carries || unwrap(p, s, &k, way->carries, now))
        pass(p, s, &k, now);
}
