/* Streams towards legs, as Python makes and asks of them. The locks: path.c; "rule N" is one of
 * media/path.py. */
#include "inside.h"

void forget_source(sink *s)
{
    s->source = 0;
    s->epoch = s->generation = -1;
}

static void stop_listening(path *p, sink *s)
{
    source *from = pool_get(&p->sources, s->source);
    for (int i = 0; from && i < from->sink_count; i++)
        if (from->sinks[i] == s->self) {
            from->sink_count--;
            memmove(from->sinks + i, from->sinks + i + 1,
                    (size_t)(from->sink_count - i) * sizeof *from->sinks);
            break;
        }
    forget_source(s);
}

void end_sink(path *p, sink *s)
{
    stop_listening(p, s);
    pool_take(&p->sinks, s->self);
    free(s);
}

handle sink_add(path *p, handle to, int codec, const seeds *begin)
{
    if (codec < OPUS || codec > H264)
        return FULL;
    sink *s = calloc(1, sizeof *s);
    if (!s)
        return FULL;
    s->leg = to;
    s->codec = codec;
    s->ssrc = begin->ssrc;
    s->rtx_ssrc = begin->rtx_ssrc;
    s->rtx_seq = begin->first_rtx_seq;
    s->epoch = s->generation = s->left_time = s->key_time = -1;
    s->agreed.rtx_type = -1;
    numbers_init(&s->numbers, CLOCK_RATES[codec], begin->first_seq, begin->first_time);
    enter(p);
    int failed = pool_get(&p->legs, to) ? 0 : GONE;
    if (!failed && !(s->self = pool_put(&p->sinks, s)))
        failed = FULL;
    if (!failed)
        LEAVE(s->self);
    free(s);
    LEAVE(failed);
}

static sink *enter_sink(path *p, handle h)
{
    enter(p);
    return pool_get(&p->sinks, h);
}

int sink_remove(path *p, handle h)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    end_sink(p, s);
    leave(p);
    settle(p);
    return 0;
}

int sink_agree(path *p, handle h, const agreed *a)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    if (memcmp(&s->agreed, a, sizeof *a) != 0) {
        s->agreed = *a;
        s->epoch = -1;
    }
    LEAVE(0);
}

int sink_listen(path *p, handle h, handle to)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    bool changes = s->source != to && (s->source > 0 || to > 0);
    source *from = pool_get(&p->sources, to);
    if (to > 0 && !from)
        LEAVE(GONE);
    if (changes) {
        stop_listening(p, s);
        if (from && from->sink_count == MAX_LISTENERS)
            LEAVE(FULL);
        if (from) {
            from->sinks[from->sink_count++] = h;
            s->source = to;
            from->wanted = from->wanted || from->codec != OPUS;
        }
    }
    leave(p);
    if (changes)
        settle(p);
    return 0;
}

int sink_flow(path *p, handle h, int flow)
{
    if (flow < FLOW_ALL || flow > FLOW_NONE)
        return FULL;
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    s->flow_next = s->codec != OPUS || flow == FLOW_NONE ? flow : FLOW_ALL;
    if (s->flow == FLOW_NONE || !is_attached(p, s))
        s->flow = s->flow_next;
    LEAVE(0);
}

int sink_twice(path *p, handle h, bool on)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    s->twice = on && s->codec == OPUS;
    LEAVE(0);
}

/* Send packets of the stream again, at most `limit`; return how many. */
int sink_resend(path *p, handle h, const uint16_t *seqs, int count, int limit,
                double now)
{
    enter_batch(p);
    sink *s = enter_sink(p, h);
    leg *l = s ? pool_get(&p->legs, s->leg) : NULL;
    source *from = s ? pool_get(&p->sources, s->source) : NULL;
    int sent = s ? 0 : GONE;
    if (l && from && from->open && is_attached(p, s) && repeats(s) && may_send(l, now)) {
        for (int i = 0; i < count && sent < limit; i++)
            sent += send_again(p, l, s, from, seqs[i], now);
        s->resent += sent;
    }
    leave(p);
    flush(p, false);
    pthread_mutex_unlock(&p->batch);
    return sent;
}

int sink_read(path *p, handle h, sink_facts *facts)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    *facts = (sink_facts){
        .packets = s->packets,
        .octets = s->octets,
        .resent = s->resent,
        .frames_left_out = s->frames_left_out,
        .attached = is_attached(p, s),
    };
    LEAVE(0);
}

int64_t sink_time_out(path *p, handle h, uint32_t time)
{
    sink *s = enter_sink(p, h);
    if (!s)
        LEAVE(GONE);
    LEAVE(is_attached(p, s) ? (int64_t)numbers_time_out(&s->numbers, time) : DETACHED);
}
