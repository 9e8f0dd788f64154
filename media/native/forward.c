/* The way of a packet: opened in place, rewritten, sealed. As media/packets.py; all of it runs under
 * `batch` and `state` (path.c). "Rule N" is one of media/path.py. */
#include "inside.h"

static const double TAKEOVER_SECONDS = 0.5, BURST_SECONDS = 1.0;
static const places NO_PLACES = {-1, 0, 0, 0};
enum { MAX_BURST = 96, MEASURE_BYTES = 1700000, PACKET_COST_BYTES = 400 };

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

/* How many packets lead from the last keyframe to `seq`; 0 when not all are here, when they are
 * too many or too old (rule 17). */
static int burst(const source *s, uint16_t seq, double now)
{
    if (s->key_seq < 0 || now - s->key_at > BURST_SECONDS)
        return 0;
    int length = (uint16_t)(seq - s->key_seq) + 1;
    if (length > MAX_BURST)
        return 0;
    for (int i = 0; i < length; i++)
        if (!cache_has(&s->cache, (uint16_t)(s->key_seq + i)))
            return 0;
    return length;
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

/* --- sinks (rules 16 to 24) */

bool is_attached(const path *p, const sink *s)
{
    const source *from = pool_get(&p->sources, s->source);
    return from && s->epoch == from->epoch;
}

/* Picture id and TL0PICIDX, -1 for what is not there. */
static int id_of(const uint8_t *data, frame f) { return f.id_at ? frame_picture_id(data, f) : -1; }

static int level_of(const uint8_t *data, frame f) { return f.level_at ? data[f.level_at] : -1; }

static void attach(sink *s, const source *from, const packet *k, double now)
{
    bool same = s->generation == from->generation;
    numbers_attach(&s->numbers, k->seq, k->time, same, now);
    numbers_attach_ids(&s->numbers, id_of(k->data, k->frame), level_of(k->data, k->frame));
    s->epoch = from->epoch;
    s->generation = from->generation;
    s->left_time = -1;
    s->key_time = k->time;
}

/* Take up the wish for another flow where the stream can bear it. */
static void begin_frame(sink *s, frame f)
{
    if (s->flow >= FLOW_KEYS || s->flow_next == FLOW_NONE)
        s->epoch = -1;
    else if (s->flow == FLOW_BASE && s->flow_next == FLOW_ALL && !(f.flags & (SYNC | BEGINS_KEY)))
        return;
    s->flow = s->flow_next;
}

static bool leaves_out(const sink *s, const packet *k)
{
    if (s->flow == FLOW_BASE)
        return k->frame.flags & NEEDLESS;
    return s->flow == FLOW_NONE || (s->flow == FLOW_KEYS && k->time != s->key_time);
}

/* Close up over the source's newest packet. */
static void leave_out(sink *s, const packet *k)
{
    bool begins = k->time != s->left_time;
    s->left_time = k->time;
    s->frames_left_out += begins;
    numbers_leave_out(&s->numbers, k->seq, begins);
}

/* Make the header extensions at `data` the listener's (rule 21); return the transport-wide number
 * given, or -1. */
static int dress(const leg *l, const sink *s, uint8_t *data, const packet *k, double now)
{
    int number = -1;
    const places *at = &k->places;
    if (at->stamp_at && s->agreed.stamps) {
        uint32_t stamp = (uint32_t)((int64_t)(now * 0x40000) & 0xFFFFFF);
        data[at->stamp_at] = (uint8_t)(stamp >> 16);
        put16(data + at->stamp_at + 1, (uint16_t)stamp);
    }
    if (at->cc_at && s->agreed.numbers)
        put16(data + at->cc_at, (uint16_t)(number = l->sent_number));
    else if (at->cc_at)
        memset(data + at->cc_at - 1, 0, 3);
    if (at->mid_at)
        rtp_put_mid(data, at->mid_at, s->agreed.mid, s->agreed.mid_size);
    if (s->agreed.has_table)
        rtp_rename_extensions(data, k->payload, s->agreed.table);
    return number;
}

static void write_head(uint8_t *data, int payload_type, uint16_t seq, uint32_t time, uint32_t ssrc)
{
    data[1] = (uint8_t)((data[1] & 0x80) | payload_type);
    put16(data + 2, seq);
    put32(data + 4, time);
    put32(data + 8, ssrc);
}

static void forward(path *p, leg *l, sink *s, const packet *k, double now)
{
    const stretch *found = numbers_stretch(&s->numbers, k->seq);
    if (!found)
        return;
    uint16_t seq_out = (uint16_t)(k->seq + found->seq_shift);
    uint32_t time_out = numbers_time_out(&s->numbers, k->time);
    uint8_t *data = blank(p);
    memcpy(data, k->data, (size_t)k->size);
    write_head(data, s->agreed.payload_type, seq_out, time_out, s->ssrc);
    int number = data[0] & 0x10 ? dress(l, s, data, k, now) : -1;
    frame_shift_ids(data, k->frame, found->id_shift, s->numbers.level_shift);
    post(p, l, s, k->size, k->size - k->payload, number, now);
    if (numbers_sent(&s->numbers, seq_out, time_out, now) && (k->frame.id_at || k->frame.level_at))
        numbers_sent_ids(&s->numbers, id_of(k->data, k->frame), level_of(k->data, k->frame));
}

/* Look at a packet of the source's cache as it was looked at when it came. False if it is not there. */
static bool look_again(path *p, const source *from, uint16_t seq, packet *k)
{
    int size;
    const uint8_t *kept = cache_find(&from->cache, seq, &size);
    if (!kept)
        return false;
    memcpy(p->kept, kept, (size_t)size);
    *k = (packet){.data = p->kept, .size = size, .seq = seq, .time = get32(p->kept + 4)};
    k->payload = rtp_header_bytes(k->data, size);
    k->places = NO_PLACES;
    if (k->data[0] & 0x10)
        k->places = rtp_clean_extensions(k->data, k->payload, from->ids.table, from->ids.cc,
                                         from->ids.stamp, from->ids.mid);
    k->frame = frame_read(from->codec, k->data, k->payload, size);
    return true;
}

/* Send all since the last keyframe up to `seq` from the cache, or wish for another one (rule 17). */
static void catch_up(path *p, leg *l, sink *s, source *from, uint16_t seq, double now)
{
    int count = burst(from, seq, now);
    if (count == 0)
        from->wanted = true;
    for (int i = 0; i < count; i++) {
        packet k;
        if (!look_again(p, from, (uint16_t)(from->key_seq + i), &k))
            return;
        if (i == 0)
            attach(s, from, &k, now);
        else if (leaves_out(s, &k)) {
            leave_out(s, &k);
            continue;
        }
        forward(p, l, s, &k, now);
    }
}

/* Send packet `k` of `from` to one who listens; `fresh` when with it a frame begins, `key` when a
 * keyframe does. */
static void offer(path *p, sink *s, source *from, const packet *k, bool fresh, bool key, double now)
{
    leg *l = pool_get(&p->legs, s->leg);
    if (!l || !may_send(l, now))
        return;
    if (fresh && s->flow != s->flow_next)
        begin_frame(s, k->frame);
    if (s->epoch != from->epoch) {
        if (s->flow_next == FLOW_NONE || !k->is_new)
            return;
        if (from->codec != OPUS && !key) {
            catch_up(p, l, s, from, k->seq, now);
            return;
        }
        attach(s, from, k, now);
    } else {
        if (key && k->is_new)
            s->key_time = k->time;
        if (leaves_out(s, k)) {
            if (k->is_new)
                leave_out(s, k);
            return;
        }
    }
    forward(p, l, s, k, now);
}

/* Send packet `seq_out` of the stream again; false when it is not there any more (rule 24). */
bool send_again(path *p, leg *l, sink *s, const source *from, uint16_t seq_out, double now)
{
    packet k;
    int seq = numbers_seq_in(&s->numbers, seq_out);
    if (seq < 0 || !look_again(p, from, (uint16_t)seq, &k))
        return false;
    const stretch *found = numbers_stretch(&s->numbers, k.seq);
    uint8_t *data = blank(p);
    memcpy(data, k.data, (size_t)k.size);
    frame_shift_ids(data, k.frame, found ? found->id_shift : 0, s->numbers.level_shift);
    int number = data[0] & 0x10 ? dress(l, s, data, &k, now) : -1;
    uint32_t time_out = numbers_time_out(&s->numbers, k.time);
    if (s->agreed.rtx_type < 0) {
        write_head(data, s->agreed.payload_type, seq_out, time_out, s->ssrc);
    } else { /* RFC 4588 section 4 */
        memmove(data + k.payload + 2, data + k.payload, (size_t)(k.size - k.payload));
        put16(data + k.payload, seq_out);
        k.size += 2;
        write_head(data, s->agreed.rtx_type, s->rtx_seq++, time_out, s->rtx_ssrc);
    }
    post(p, l, s, k.size, -1, number, now);
    return true;
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
    pass(p, s, &k, now);
}
