/* Sources and their taps, as Python makes and asks of them. The locks: path.c; "rule N" is one of
 * media/path.py. */
#include "inside.h"

static const double MEASURE_SECONDS = 1.0;
static const double USUAL_WINDOW_SECONDS = 0.5, MIN_WINDOW_SECONDS = 0.2, MAX_WINDOW_SECONDS = 1.0;

/* --- what happens to a source; under `state` */

/* Nothing from before is ever sent, and sinks attach anew (rule 13). */
void interrupt(source *s)
{
    s->epoch++;
    cache_clear(&s->cache);
    s->missing.count = 0;
    s->key_seq = -1;
    s->key_time = s->newest_time = -1;
    if (s->codec != OPUS)
        s->wanted = true;
}

void begin_count(source *s)
{
    int64_t lost = reception_lost(&s->reception);
    s->lost_before += lost > 0 ? lost : 0;
    reception_init(&s->reception, CLOCK_RATES[s->codec]);
}

void replace(source *s)
{
    s->generation++;
    s->ssrc = -1;
    s->heard_at = 0;
    begin_count(s);
    interrupt(s);
}

/* Give the cache as much room as the packets of the repair window want (rule 15). */
void tick_source(source *s, double now)
{
    double gone = now - s->measured_at;
    if (gone < MEASURE_SECONDS)
        return;
    int64_t came = s->reception.received - s->counted;
    s->measured_at = now;
    s->counted = s->reception.received;
    if (came < 0) /* the counts began anew meanwhile: that second says nothing */
        return;
    double rate = (double)came / gone;
    int had = s->cache.mask + 1;
    int slots = slots_for(rate * s->window, LEAST_SLOTS[s->codec], MOST_SLOTS[s->codec]);
    /* It shrinks late, as a picture that stands still sends little and then much. */
    if (slots > had || slots * 4 <= had)
        cache_resize(&s->cache, slots);
}

static source *enter_source(path *p, handle h)
{
    enter(p);
    return pool_get(&p->sources, h);
}

/* --- taps (rule 28) */

static void free_tap(tap *t)
{
    memset(t->data, 0, (size_t)t->size);
    free(t->data);
    free(t);
}

static void end_tap(path *p, handle h)
{
    tap *t = pool_take(&p->taps, h);
    if (t)
        free_tap(t);
}

handle tap_add(path *p, handle of, int bytes)
{
    if (bytes < 1 || bytes > MAX_TAP_BYTES)
        return FULL;
    tap *t = calloc(1, sizeof *t);
    if (!t)
        return FULL;
    *t = (tap){.source = of, .size = bytes, .data = calloc(1, (size_t)bytes)};
    source *s = enter_source(p, of);
    int failed = !s ? GONE : !t->data ? FULL : 0, free_one = 0;
    while (!failed && pool_get(&p->taps, s->taps[free_one]))
        if (++free_one == MAX_TAPS)
            failed = FULL;
    if (!failed && !(t->self = pool_put(&p->taps, t)))
        failed = FULL;
    if (!failed) {
        s->taps[free_one] = t->self;
        LEAVE(t->self);
    }
    free(t->data);
    free(t);
    LEAVE(failed);
}

/* Move what the tap holds to `out`; return its bytes, `lost` packets did not fit since last time. */
int tap_read(path *p, handle h, uint8_t *out, int room, uint64_t *lost)
{
    enter(p);
    tap *t = pool_get(&p->taps, h);
    if (!t)
        LEAVE(GONE);
    if (room < t->used)
        LEAVE(FULL);
    int used = t->used;
    memcpy(out, t->data, (size_t)used);
    *lost = t->lost;
    t->used = 0;
    t->lost = 0;
    LEAVE(used);
}

int tap_remove(path *p, handle h)
{
    enter(p);
    int answer = pool_get(&p->taps, h) ? 0 : GONE;
    end_tap(p, h);
    LEAVE(answer);
}

/* --- sources */

static void free_source(source *s)
{
    cache_clear(&s->cache);
    cache_free(&s->cache);
    free(s);
}

handle source_add(path *p, int codec)
{
    if (codec < OPUS || codec > H264)
        return FULL;
    source *s = calloc(1, sizeof *s);
    if (!s)
        return FULL;
    s->codec = codec;
    s->ssrc = s->key_time = s->newest_time = s->key_seq = -1;
    s->window = USUAL_WINDOW_SECONDS;
    reception_init(&s->reception, CLOCK_RATES[codec]);
    if (!cache_init(&s->cache, LEAST_SLOTS[codec])) {
        free(s);
        return FULL;
    }
    enter(p);
    s->self = pool_put(&p->sources, s);
    if (s->self)
        LEAVE(s->self);
    free_source(s);
    LEAVE(FULL);
}

int source_remove(path *p, handle h)
{
    enter(p);
    source *s = pool_take(&p->sources, h);
    if (!s)
        LEAVE(GONE);
    for (int i = 0; i < MAX_TAPS; i++)
        end_tap(p, s->taps[i]);
    while (s->sink_count) {
        sink *listener = pool_get(&p->sinks, s->sinks[--s->sink_count]);
        if (listener)
            forget_source(listener);
    }
    free_source(s);
    leave(p);
    settle(p);
    return 0;
}

int source_codec(path *p, handle h, int codec)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    if (codec < OPUS || codec > H264 || (codec == OPUS) != (s->codec == OPUS))
        LEAVE(FULL);
    if (codec != s->codec) {
        s->codec = codec;
        interrupt(s);
    }
    LEAVE(0);
}

int source_expect(path *p, handle h, const uint32_t *announced, int count, int repairable)
{
    if (count < 0 || count > MAX_ANNOUNCED)
        return FULL;
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    for (int i = 0; i < count; i++)
        s->announced[i] = announced[i];
    s->announced_count = count;
    s->repairable = repairable != 0;
    LEAVE(0);
}

int source_replace(path *p, handle h)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    replace(s);
    LEAVE(0);
}

/* Once this returns, nothing from before the change leaves any more. */
int source_open(path *p, handle h, int is_open)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    bool changes = s->open != (is_open != 0);
    if (changes) {
        s->open = is_open != 0;
        interrupt(s);
    }
    leave(p);
    if (changes)
        settle(p);
    return 0;
}

int source_window(path *p, handle h, double window)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    s->window = window < MIN_WINDOW_SECONDS   ? MIN_WINDOW_SECONDS
                : window > MAX_WINDOW_SECONDS ? MAX_WINDOW_SECONDS
                                              : window;
    LEAVE(0);
}

int source_want(path *p, handle h)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    s->wanted = true;
    LEAVE(0);
}

int source_read(path *p, handle h, source_facts *facts)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    const reception *r = &s->reception;
    *facts = (source_facts){
        .jitter = r->jitter,
        .heard_at = s->heard_at,
        .ssrc = s->ssrc,
        .highest = r->highest,
        .expected = r->first < 0 ? 0 : r->highest - r->first + 1,
        .received = r->received,
        .lost_before = s->lost_before,
        .octets = s->octets,
        .frames = s->frames,
        .repaired = s->repaired,
        .missing = s->missing.count,
        .keyframes = s->keyframes,
        .wanted = s->wanted,
        .width = s->width,
        .height = s->height,
    };
    LEAVE(0);
}

int64_t source_octets(path *p, handle h)
{
    const source *s = enter_source(p, h);
    LEAVE(s ? s->octets : (int64_t)GONE);
}

int source_needy(path *p, handle *out, int room)
{
    int count = 0;
    enter(p);
    for (int i = 0; i < p->sources.size && count < room; i++) {
        const source *s = p->sources.items[i];
        if (s && (s->wanted || s->missing.count))
            out[count++] = s->self;
    }
    LEAVE(count);
}

/* Write what is missing to `out` (room for MAX_MISSING) and return how much. */
int source_missing(path *p, handle h, gap *out, double now)
{
    source *s = enter_source(p, h);
    if (!s)
        LEAVE(GONE);
    missing_expire(&s->missing, now);
    memcpy(out, s->missing.gaps, (size_t)s->missing.count * sizeof *out);
    LEAVE(s->missing.count);
}
