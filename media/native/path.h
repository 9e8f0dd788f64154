/* The packet path in one thread of its own. media/path.py says what it does (its rules are meant
 * by "rule N" here); path.c says who may call what when.
 *
 * `now` is a time of the caller's clock, whose distance to the system's `path_tick` learns.
 * Structures are read by media/native/library.py, which compares their sizes at load. Functions
 * return 0 or a count, or GONE or FULL.
 */
#ifndef MADOGUCHI_PATH_H
#define MADOGUCHI_PATH_H

#include "streams.h"

enum {
    PACKET_BYTES = 2048,
    MAX_RTP_BYTES = 1888, /* leaves room for an RTX number and SRTP's longest trailer */
    MAX_ROUTES = 32,
    MAX_LISTENERS = 8,
    MAX_TAPS = 4,
    MAX_TAP_BYTES = 64 << 20,
    MAX_ANNOUNCED = 16,
    MAX_SSRCS = 16,
    MAX_ADDRESSES = 8,
    MAX_ARRIVALS = 400,
    MAX_SENT = 2048, /* a power of two */
    MAX_RTCP_BYTES = 1500,
    MID_BYTES = 32,
    MAX_NAME_BYTES = 31,
    GONE = -1, /* a handle that is not there any more */
    FULL = -2, /* no memory, or beyond a limit of the interface */
    DETACHED = -3, /* sink_time_out: the listener is sent nothing now */
};

enum flow { FLOW_ALL, FLOW_BASE, FLOW_KEYS, FLOW_NONE };

typedef struct path path;
typedef int32_t handle; /* 1 and more; 0 or less is nobody */

/* An address in 24 bytes; integers are in the machine's order, IPv4 is the first four of `host`.
 * Kinds: AF_INET, AF_INET6, and with STREAM added those of TCP connections, which Python holds. */
enum { STREAM = 0x8000 };
typedef struct {
    uint16_t kind, port;
    uint32_t scope;
    uint8_t host[16];
} address;

/* What a message to Python begins with; the datagram follows. */
enum { OUTSIDER = 0, TO_STREAM = 1 };
typedef struct {
    address where;
    double at;
    uint32_t what, reserved;
} envelope;

/* As srtp_protect and srtp_unprotect of libsrtp 2: work in place, 0 for success. */
typedef int (*srtp_function)(void *session, void *packet, int *size);

typedef struct {
    uint64_t handed_over, hand_overs_lost, refused_to_hand, unsent, batches, datagrams, stale, excess;
} path_facts;

typedef struct {
    double heard_at;
    uint64_t packets_received, bytes_received, packets_forwarded, bytes_forwarded, refused;
    address heard_from, used; /* of kind 0: none */
} leg_facts;

typedef struct { /* in the order of `SourceState` in media/path.py */
    int64_t ssrc, highest, expected, received, lost_before;
    double jitter, heard_at;
    int64_t missing, octets, frames, repaired, keyframes;
    bool wanted;
    int32_t width, height, reserved;
} source_facts;

typedef struct { /* in the order of `SinkState` */
    bool attached;
    int64_t packets, octets, resent, frames_left_out;
} sink_facts;

typedef struct {
    int32_t payload_type;
    handle source;
    uint8_t table[TABLE_IDS];
    int32_t cc, stamp, mid, repairs, carries; /* repairs: -1 for none; carries: 0 */
} route;

typedef struct {
    uint32_t ssrc, rtx_ssrc, first_time;
    uint16_t first_seq, first_rtx_seq;
} seeds;

typedef struct {
    int32_t payload_type, rtx_type; /* rtx_type: -1 for none */
    uint8_t has_table, stamps, numbers, mid_size;
    uint8_t table[TABLE_IDS];
    uint8_t mid[MID_BYTES];
} agreed;

/* A transport-wide number with its time, and for one that was sent the size of the datagram. */
typedef struct {
    double at;
    uint16_t number, size;
    uint32_t reserved;
} passage;

const char *path_source(void); /* the hash of the source that this was built from */
const int *path_sizes(void);   /* of the structures above, in order, 0 at the end */

path *path_new(srtp_function protect, srtp_function unprotect, srtp_function protect_rtcp);
int path_start(path *p, int udp, int python);
void path_stop(path *p);
void path_free(path *p);
void path_feed(path *p, const address *from, const uint8_t *data, int size, double now);
void path_tick(path *p, double now);
void path_read(path *p, path_facts *facts);
int path_expect(path *p, const uint8_t *text, int size); /* checks addressed to this name */
int path_ignore(path *p, const uint8_t *text, int size);

handle leg_add(path *p);
int leg_remove(path *p, handle h);
int leg_keys(path *p, handle h, void *inbound, void *outbound);
int leg_allow(path *p, handle h, const address *where, double until);
int leg_forbid(path *p, handle h, const address *where);
int leg_use(path *p, handle h, const address *where);
int leg_routes(path *p, handle h, const route *routes, int count);
int leg_read(path *p, handle h, leg_facts *facts);
int leg_moved(path *p, handle *out, int room); /* those moved by media since the last call */
int leg_control(path *p, handle h, const uint8_t *data, int size, double now);
int leg_tell(path *p, handle h, uint32_t ssrc);
int leg_sent(path *p, handle h, int first, int count, passage *out); /* room for MAX_SENT */

handle source_add(path *p, int codec);
int source_remove(path *p, handle h);
int source_codec(path *p, handle h, int codec);
int source_expect(path *p, handle h, const uint32_t *announced, int count, int repairable);
int source_replace(path *p, handle h);
int source_open(path *p, handle h, int is_open);
int source_window(path *p, handle h, double seconds);
int source_want(path *p, handle h);
int source_read(path *p, handle h, source_facts *facts);
int64_t source_octets(path *p, handle h);
int source_needy(path *p, handle *out, int room); /* those that miss packets or a keyframe */
int source_missing(path *p, handle h, gap *out, double now); /* room for MAX_MISSING */

handle sink_add(path *p, handle leg, int codec, const seeds *begin);
int sink_remove(path *p, handle h);
int sink_agree(path *p, handle h, const agreed *a);
int sink_listen(path *p, handle h, handle source);
int sink_flow(path *p, handle h, int flow);
int sink_twice(path *p, handle h, bool on);
int sink_resend(path *p, handle h, const uint16_t *seqs, int count, int limit,
                double now);
int sink_read(path *p, handle h, sink_facts *facts);
int64_t sink_time_out(path *p, handle h, uint32_t time);

handle tap_add(path *p, handle source, int bytes);
int tap_read(path *p, handle h, uint8_t *out, int room, uint64_t *lost);
int tap_remove(path *p, handle h);

#endif
