/* The way of a packet out: rewritten, sealed, sent to who listens. As media/packets.py; all of it runs
 * under `batch` and `state` (path.c). "Rule N" is one of media/path.py. */
#include "inside.h"

static const double BURST_SECONDS = 1.0;
static const places NO_PLACES = {-1, 0, 0, 0};
enum { MAX_BURST = 96 };

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

/* Whether anything may be sent again (rule 24). */
bool repeats(const sink *s)
{
    return s->agreed.rtx_type >= 0 || !(s->agreed.stamps || s->agreed.numbers);
}

/* Send packet `seq` of sound a second time, if it is here (rule 34). */
static void say_again(path *p, leg *l, sink *s, const source *from, uint16_t seq, double now)
{
    int seq_out = repeats(s) ? numbers_seq_out(&s->numbers, seq) : -1;
    if (seq_out >= 0 && send_again(p, l, s, from, (uint16_t)seq_out, now))
        s->resent++;
}

/* Send packet `k` of `from` to one who listens; `fresh` when with it a frame begins, `key` when a
 * keyframe does. */
void offer(path *p, sink *s, source *from, const packet *k, bool fresh, bool key, double now)
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
    if (s->twice)
        say_again(p, l, s, from, k->is_new ? (uint16_t)(k->seq - 1) : k->seq, now);
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
