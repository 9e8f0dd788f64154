/* What the packet path knows of RTP: headers, numbers, what arrived, the last packets.
 *
 * Each function says the same as its namesake in media/rtp.py, numbers.py, reception.py and
 * cache.py; tests/media/test_native_streams.py holds them together byte for byte. Nothing here
 * waits, allocates but where it says so, or looks at a clock: `now` is monotonic seconds. Functions
 * that take a packet never read or write beyond `size`. All sequence numbers are 16 bits; -1
 * says "none".
 */
#ifndef MADOGUCHI_STREAMS_H
#define MADOGUCHI_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEADER_BYTES = 12,
    TABLE_IDS = 16, /* new id of each extension id 0 to 15, 0 to blot it out */
    MAX_DROPOUT = 3000,
    MAX_LATE = 1024, /* as many as SRTP remembers */
    MAX_MISSING = 192,
    MAX_STRETCHES = 32,
    SLOT_BYTES = 1504,
    MAX_SLOTS = 512,
};

/* --- headers */

/* Where the payload begins, or -1 when this is no RTP packet. */
int rtp_header_bytes(const uint8_t *data, int size);

/* How many bytes at the end are padding; all of the payload when it lies. */
int rtp_padding_bytes(const uint8_t *data, int payload, int size);

/* What three header extensions say and where their bytes begin; -1 and 0 for nothing. */
typedef struct {
    int cc, cc_at, stamp_at, mid_at;
} places;

/* Blot out the header extensions that have no entry in `table` (rule 7). `cc`, `stamp` and `mid`
 * are ids, 0 for none. The packet has the extension bit set; its payload begins at `payload`. */
places rtp_clean_extensions(uint8_t *data, int payload, const uint8_t table[TABLE_IDS], int cc,
                            int stamp, int mid);

/* Give each header extension of a packet that was cleaned its id from `table`. */
void rtp_rename_extensions(uint8_t *data, int payload, const uint8_t table[TABLE_IDS]);

/* Put `mid` in the place of the one at `mid_at`, zeros if it does not fit. */
void rtp_put_mid(uint8_t *data, int mid_at, const uint8_t *mid, int mid_size);

/* Turn a retransmission into what it repeats; return its number, or -1 when it carries none.
 * `size` becomes the new size. */
int rtp_unwrap_rtx(uint8_t *data, int payload, int *size, uint8_t payload_type, uint32_t ssrc);

/* --- sound that carries the packet before along (RED, RFC 2198) */

typedef struct {
    int main_at, end;       /* the packet itself */
    int again_size, behind; /* of what is before `main_at`; by how much its timestamp is less */
} red;

/* What a packet holds of `payload_type`; false when nothing, or when it lies about lengths. */
bool red_read(const uint8_t *data, int payload, int size, int payload_type, red *found);

/* Turn the packet into the plain one that it is; its new size. */
int red_unwrap_main(uint8_t *data, int payload, const red *r, int payload_type);

/* Write the packet before to `out`, which has as much room; its size. */
int red_copy_before(const uint8_t *data, int payload, const red *r, int payload_type,
                    uint8_t *out);

/* --- what a packet is to its frame */

enum codec { OPUS, VP8, H264 };
enum {
    BEGINS_KEY = 1, /* the first packet of a keyframe */
    BARE = 2,       /* of which an earlier packet (SPS) may still be missing */
    NEEDLESS = 4,   /* no other frame needs this one */
    SYNC = 8,       /* from here on all can be decoded by whoever had the base layer only */
    LONG_ID = 16,   /* the picture id has 15 bits */
};

/* Flags, and where the picture id and TL0PICIDX are; 0 for nowhere. */
typedef struct {
    int flags, id_at, level_at;
} frame;

frame frame_read(int codec, const uint8_t *data, int payload, int size);
int frame_picture_id(const uint8_t *data, frame f);
void frame_shift_ids(uint8_t *data, frame f, int id_shift, int level_shift);
/* Width and height that the first packet of a VP8 keyframe says, zeros when it does not. */
void frame_vp8_size(const uint8_t *data, int payload, int size, int *width, int *height);
/* … that an H.264 sequence parameter set in the packet says (sps.c). */
void frame_h264_size(const uint8_t *data, int payload, int size, int *width, int *height);

/* --- numbers of one outgoing stream */

typedef struct {
    uint16_t base, seq_shift, id_shift;
} stretch;

typedef struct {
    uint32_t clock_rate, last_time, time_shift;
    uint16_t last_seq;
    int32_t last_id, last_level; /* -1: none */
    bool started;
    uint8_t level_shift;
    double last_at;
    stretch now, earlier[MAX_STRETCHES]; /* oldest first */
    int earlier_count;
} numbers;

void numbers_init(numbers *n, uint32_t clock_rate, uint16_t first_seq, uint32_t first_time);
void numbers_attach(numbers *n, uint16_t seq, uint32_t time, bool same_clock, double now);
void numbers_attach_ids(numbers *n, int picture, int level);
const stretch *numbers_stretch(const numbers *n, uint16_t seq);
int numbers_seq_out(const numbers *n, uint16_t seq);
int numbers_seq_in(const numbers *n, uint16_t seq);
uint32_t numbers_time_out(const numbers *n, uint32_t time);
void numbers_leave_out(numbers *n, uint16_t seq, int frames);
bool numbers_sent(numbers *n, uint16_t seq_out, uint32_t time_out, double now);
void numbers_sent_ids(numbers *n, int picture, int level);

/* --- what arrived of one incoming stream */

enum verdict { NEW, LATE, REPEATED, STRAY, JUMP };

typedef struct {
    uint32_t clock_rate;
    int32_t stray;
    int64_t first, highest, received; /* `highest` is extended by the number of wraps */
    double jitter, transit;           /* in timestamp units */
    bool measured;
    uint64_t here[MAX_LATE / 64]; /* one bit for each of the last numbers, at number mod 1024 */
} reception;

void reception_init(reception *r, uint32_t clock_rate);
enum verdict reception_note(reception *r, uint16_t seq, uint32_t time, double now);
int64_t reception_lost(const reception *r);

/* --- the numbers that have not come */

typedef struct {
    double at; /* when it was noticed */
    uint16_t seq;
} gap;

typedef struct {
    int count;
    gap gaps[MAX_MISSING]; /* oldest first */
} missing;

/* Note what lies between two numbers; false, with all forgotten, when it is too much. */
bool missing_note(missing *m, uint16_t after, uint16_t before, double now);
bool missing_has(const missing *m, uint16_t seq);
void missing_arrived(missing *m, uint16_t seq);
void missing_forget_before(missing *m, uint16_t seq);
/* Forget what has been missing for 1.5 s. */
void missing_expire(missing *m, double now);

/* --- the last packets of one source */

typedef struct {
    int mask;
    bool empty;
    int32_t *seqs; /* -1: nothing */
    uint16_t *sizes, *most; /* `most`: how much of a slot was ever written */
    uint8_t *data;
} cache;

/* False when there is no memory. `slots` is a power of two up to MAX_SLOTS. */
bool cache_init(cache *c, int slots);
void cache_free(cache *c);
void cache_store(cache *c, uint16_t seq, const uint8_t *packet, int size);
/* The packet `seq` and its size, or NULL. */
const uint8_t *cache_find(const cache *c, uint16_t seq, int *size);
bool cache_has(const cache *c, uint16_t seq);
void cache_clear(cache *c);
/* Change the size and keep the newest packets; false, with nothing changed, without memory. */
bool cache_resize(cache *c, int slots);
/* The power of two that holds `packets`, within two powers of two. */
int slots_for(double packets, int least, int most);

/* --- bytes in network order */

static inline uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* How far `a` is ahead of `b`, around the wrap. */
static inline uint16_t less(uint16_t a, uint16_t b) { return (uint16_t)(a - b); }

static inline void put16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void put32(uint8_t *p, uint32_t value)
{
    put16(p, (uint16_t)(value >> 16));
    put16(p + 2, (uint16_t)value);
}

#endif
