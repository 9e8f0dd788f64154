/* What the files of the path share: the state, its locks, the functions that cross files. */
#ifndef MADOGUCHI_INSIDE_H
#define MADOGUCHI_INSIDE_H

#include "path.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static const uint32_t CLOCK_RATES[] = {48000, 90000, 90000}; /* by codec */
static const int LEAST_SLOTS[] = {16, 128, 128}, MOST_SLOTS[] = {64, MAX_SLOTS, MAX_SLOTS};
enum { TAP_HEAD_BYTES = 10 };

/* --- handles: a slot's index and, above it, how often the slot was given out */

enum { INDEX_BITS = 18, MAX_INDEX = (1 << INDEX_BITS) - 1, MAX_ROUND = (1 << 13) - 1 };

typedef struct {
    void **items;
    uint16_t *rounds;
    int size;
} pool;

static inline handle pool_put(pool *q, void *item)
{
    int index = 1; /* slot 0 is nobody's */
    while (index < q->size && q->items[index])
        index++;
    if (index >= q->size) {
        int size = q->size ? 2 * q->size : 64;
        if (size > MAX_INDEX)
            return 0;
        void **items = realloc(q->items, (size_t)size * sizeof *items);
        if (!items)
            return 0;
        q->items = items;
        uint16_t *rounds = realloc(q->rounds, (size_t)size * sizeof *rounds);
        if (!rounds)
            return 0;
        q->rounds = rounds;
        memset(items + q->size, 0, (size_t)(size - q->size) * sizeof *items);
        memset(rounds + q->size, 0, (size_t)(size - q->size) * sizeof *rounds);
        q->size = size;
    }
    q->items[index] = item;
    return (handle)(q->rounds[index] << INDEX_BITS | index);
}

static inline void *pool_get(const pool *q, handle h)
{
    int index = h & MAX_INDEX;
    if (h <= 0 || index >= q->size || q->rounds[index] != h >> INDEX_BITS)
        return NULL;
    return q->items[index];
}

static inline void *pool_take(pool *q, handle h)
{
    void *item = pool_get(q, h);
    if (item) {
        int index = h & MAX_INDEX;
        q->items[index] = NULL;
        q->rounds[index] = (uint16_t)((q->rounds[index] + 1) & MAX_ROUND);
    }
    return item;
}

/* --- what there is */

typedef struct leg leg;

typedef struct {
    double tokens, filled_at;
} bucket;

typedef struct expected { /* to whom checks may be addressed */
    struct expected *next;
    uint8_t size, text[MAX_NAME_BYTES];
} expected;

typedef struct owner { /* whose address it is */
    struct owner *next;
    address where;
    leg *leg;
    bucket handed;
} owner;

typedef struct {
    address where;
    double until;
} line;

typedef struct { /* what a sender was told of arrivals */
    bool wanted, begun;
    uint8_t count;
    uint32_t ssrc; /* of who tells */
    int64_t highest, next; /* numbers, extended; `next` is the first not told of */
    double at;
} told;

struct leg {
    handle self;
    void *inbound, *outbound;
    line lines[MAX_ADDRESSES];
    int line_count;
    line *used;
    bool moved; /* by media, since the last look */
    bool alone; /* grouped datagrams were refused on this line */
    uint32_t ssrcs[MAX_SSRCS];
    int ssrc_count;
    route routes[MAX_ROUTES];
    int route_count;
    uint8_t route_of[128]; /* by payload type: index + 1 */
    passage arrivals[MAX_ARRIVALS], sent[MAX_SENT]; /* sent: at number mod MAX_SENT */
    int arrival_count;
    told told;
    uint16_t sent_number;
    bucket measure; /* of RTP that may come, rule 32 */
    leg_facts facts;
};

typedef struct {
    handle self;
    int codec;
    bool open, repairable, wanted, has_ids;
    bool skips;      /* the next gap was made here: nobody is to ask for it */
    uint32_t behind; /* the spell of lateness in which packets were left out last */
    int64_t ssrc; /* -1: none yet */
    uint32_t announced[MAX_ANNOUNCED];
    int announced_count;
    uint32_t epoch, generation;
    double heard_at, window, measured_at, key_at;
    int64_t lost_before, counted, octets, frames, repaired, keyframes;
    int64_t key_time, newest_time; /* timestamps, -1 for none */
    int32_t key_seq;               /* where the last keyframe begins, -1 for none */
    int width, height;
    route ids; /* table, cc, stamp and mid of the packets in the cache */
    reception reception;
    missing missing;
    cache cache;
    handle sinks[MAX_LISTENERS], taps[MAX_TAPS];
    int sink_count;
} source;

typedef struct {
    handle self, leg, source;
    int codec, flow, flow_next;
    uint32_t ssrc, rtx_ssrc;
    uint16_t rtx_seq;
    agreed agreed;
    numbers numbers;
    int64_t epoch, generation; /* of the source, at the attachment; -1 for none */
    int64_t left_time, key_time; /* of the frame being left out, of the last keyframe sent; or -1 */
    int64_t packets, octets, resent, frames_left_out;
    bool twice; /* sound, rule 34 */
} sink;

typedef struct {
    handle self, source;
    int size, used;
    uint64_t lost;
    uint8_t *data;
} tap;

typedef struct { /* a packet of a source, opened */
    uint8_t *data;
    int size, payload;
    uint16_t seq;
    uint32_t time;
    bool is_new; /* the newest so far, not a late one */
    places places;
    frame frame;
} packet;

typedef struct {
    _Alignas(16) uint8_t data[PACKET_BYTES];
    int size;
    int octets; /* of payload; -1 for a repetition */
    handle leg, sink;
    bool alone; /* may leave with no other */
    int next;   /* in its group, by index; -1 for the last */
    struct sockaddr_in6 to; /* the longer of both kinds */
} letter;

typedef struct { /* letters that leave in one message, by index */
    int first, last, count, bytes;
    bool closed;
} group;

typedef union { /* says the size of each in the message */
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(sizeof(uint16_t))];
} segment_note;

enum { BATCH = 64, OWNER_BUCKETS = 4096, BATCH_OUT = 2 * BATCH, NAME_BUCKETS = 1024, PLACES = 256 };

enum shed { SHED_NOTHING, SHED_PICTURES, SHED_MEDIA }; /* what is left out */

struct path {
    pthread_mutex_t state, batch;
    pthread_mutex_t turn; /* of the two below, held for nothing else */
    pthread_cond_t served;
    int turns;
    atomic_int waiting; /* callers that stand before `state` or `batch` */
    srtp_function protect, unprotect, protect_rtcp;
    pool legs, sources, sinks, taps;
    owner *owners[OWNER_BUCKETS];
    expected *names[NAME_BUCKETS];
    bucket strangers, places[PLACES];
    uint32_t salt;
    path_facts facts;
    _Atomic double clock_ahead;
    enum shed shed;
    uint32_t spell; /* of lateness */
    bool wall_known;
    double wall_ahead, wall_doubted_until; /* the wall clock, by the system's seconds */
    int python; /* where what is not for us goes */
    _Alignas(16) uint8_t rtcp[PACKET_BYTES]; /* a packet in the making */

    /* `run` or, while there is none, the caller of `path_feed`; under `batch` */
    int udp, stop_event;
    bool running;
    pthread_t thread;
    letter in[BATCH], out[BATCH_OUT];
    _Alignas(16) uint8_t kept[PACKET_BYTES]; /* a packet of a cache in hand; under `state` too */
    _Alignas(16) uint8_t before[PACKET_BYTES]; /* one that its successor told again; likewise */
    int out_count;
    struct mmsghdr headers[BATCH_OUT];
    struct iovec parts[BATCH_OUT];
    group groups[BATCH_OUT];
    segment_note notes[BATCH_OUT];
    int group_count;
};

/* --- locks and time */

static inline void wait_for(path *p, pthread_mutex_t *lock)
{
    if (pthread_mutex_trylock(lock) == 0)
        return;
    atomic_fetch_add(&p->waiting, 1);
    pthread_mutex_lock(lock);
    atomic_fetch_sub(&p->waiting, 1);
    pthread_mutex_lock(&p->turn);
    p->turns++;
    pthread_cond_signal(&p->served);
    pthread_mutex_unlock(&p->turn);
}

static inline void enter(path *p) { wait_for(p, &p->state); }

static inline void leave(path *p) { pthread_mutex_unlock(&p->state); }

static inline void enter_batch(path *p) { wait_for(p, &p->batch); }

/* Wait until what was made before has left. Called without `state`. */
static inline void settle(path *p)
{
    enter_batch(p);
    pthread_mutex_unlock(&p->batch);
}

static inline double system_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Send to this line; on another one grouped datagrams may pass again. */
static inline void use_line(leg *l, line *chosen)
{
    l->alone = l->alone && l->used == chosen;
    l->used = chosen;
}

/* Gives the answer of a function that began with `enter`; it is read while the lock is held. */
#define LEAVE(answer) \
    do { \
        __typeof__(answer) read_inside = (answer); \
        leave(p); \
        return read_inside; \
    } while (0)

/* --- send.c */

socklen_t to_sockaddr(const address *where, struct sockaddr_in6 *name);
bool may_send(const leg *l, double now);
uint8_t *blank(path *p);
void post(path *p, leg *l, sink *s, int size, int octets, int number, double now);
void post_control(path *p, leg *l, int size, double now);
void flush(path *p, bool holds);

/* --- report.c */

void tell_with_packet(path *p, leg *l, double now);
void tell_late(path *p, leg *l, double now);
void note_sent(leg *l, uint16_t number, int size, double now);

/* --- checks.c */

bool is_for_us(path *p, const uint8_t *data, int size);
void forget_names(path *p);
bool bucket_has(bucket *b, double burst, double per_second, double now);
bool admits_stranger(path *p, const address *where, double now);

/* --- wire.c */

owner **owner_link(path *p, const address *where);
line *line_of(leg *l, const address *where);
bool tell_python(path *p, uint32_t what, const address *where, const uint8_t *data, int size,
                 double now);
bool is_wall_doubtful(path *p);
void take_datagram(path *p, const address *where, uint8_t *data, int size, double now);
void *run(void *argument);

/* --- sources.c, sinks.c */

void interrupt(source *s);
void begin_count(source *s);
void replace(source *s);
void tick_source(source *s, double now);
void forget_source(sink *s);
void end_sink(path *p, sink *s);

/* --- forward.c */

bool is_attached(const path *p, const sink *s);
bool repeats(const sink *s);
bool send_again(path *p, leg *l, sink *s, const source *from, uint16_t seq_out, double now);
void offer(path *p, sink *s, source *from, const packet *k, bool fresh, bool key, double now);

/* --- take.c */

bool leave_behind(path *p, const leg *l, const uint8_t *data, int size);
void take_rtp(path *p, leg *l, const address *where, uint8_t *data, int size, double now);

#endif
