/* The packet loop of the load generator: paces pre-encoded sound and pictures out of many
 * connections and counts what comes back. libc only; libsrtp's functions come in as addresses.
 *
 * One thread runs load_run; one other calls the rest at any time. A leg is handed over by its
 * `state`; counters are only read, and read as whole words.
 * Every packet sent ends with a stamp (struct stamp) over its last 24 bytes, so that the receiver
 * knows who sent it and when. The kernel's arrival time is compared with it: how late this thread
 * reads does not count as delay of the server.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_LEGS 1024
#define BURST 16                     /* packets of one frame that leave at once */
#define BURST_GAP_NS 4000000LL       /* the rest of a large frame follows so much later each */
#define FRAME_NS 33333333LL
#define SOUND_NS 20000000LL
#define REPORT_NS 1000000000LL
#define IDLE_NS 500000LL
#define ROOM 2048
#define HEAD_BYTES 32                /* RTP header and extensions at most */
#define STAMP_MAGIC 0x6d61646fU
#define BUCKETS 200000               /* of 10 us: two seconds */
#define BUCKET_NS 10000LL
#define AUDIO 0
#define VIDEO 1
enum { FREE, LIVE, ENDING };         /* of a leg: the loop alone goes from ENDING to FREE */

typedef int (*srtp_function)(void *session, void *packet, int *size);

struct stamp {
    uint32_t magic, sender, kind, number;
    int64_t sent_ns;
};

struct clip {
    const uint8_t *bytes;
    const uint32_t *offsets;         /* one more than packets */
    const uint32_t *frames;          /* first packet of each frame; one more than frames */
    const uint8_t *keys;             /* 1 where a frame is a keyframe */
    uint32_t frame_count;
};

struct setup {
    void *outbound, *inbound;
    int32_t fd;
    uint32_t sender, hears;          /* who this is in a stamp, and whom it should hear */
    uint32_t ssrc[2];
    uint8_t payload_type[2];
    uint8_t level_id, time_id, count_id, mid_id; /* header extensions, 0: not agreed */
    uint8_t mid[2];
    uint8_t sends;
    uint8_t unused[5];
};

struct totals {
    uint64_t sent, received, strange, forged, sent_in, received_in, unsent;
    uint64_t wishes, nacks, feedback, late_sends;
    int64_t first_ns;
};

struct leg {
    struct setup is;
    struct totals count;
    uint16_t seq[2], transport_seq;
    uint32_t time[2], number[2], packets[2], octets[2];
    uint32_t heard_ssrc[2], heard_seq[2];
    int64_t due[2], report_due;
    uint32_t frame, packet, end, sound;
    uint8_t sending, wants_keyframe;
    atomic_int state;
};

struct load {
    struct clip clip[2];
    srtp_function protect, unprotect, protect_rtcp, unprotect_rtcp;
    struct leg *leg;
    atomic_uint legs;
    atomic_int stop, quiet;
    _Atomic int64_t from_ns, until_ns;
    uint32_t *delay, *lateness;      /* histograms of the marked time */
    int epoll;
    struct mmsghdr out[BURST + 1];
    struct iovec out_vec[BURST + 1];
    uint8_t out_bytes[BURST + 1][ROOM];
};

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void note(uint32_t *histogram, int64_t ns) {
    int64_t bucket = ns < 0 ? 0 : ns / BUCKET_NS;
    histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static int in_window(struct load *load, int64_t ns) {
    return ns >= atomic_load_explicit(&load->from_ns, memory_order_relaxed) &&
           ns < atomic_load_explicit(&load->until_ns, memory_order_relaxed);
}

/* --- out */

static int head(struct leg *leg, int kind, int marker, uint8_t *at, int64_t now) {
    const struct setup *is = &leg->is;
    uint8_t *e = at + 16;
    at[0] = 0x90;
    at[1] = (uint8_t)(marker << 7 | is->payload_type[kind]);
    put16(at + 2, leg->seq[kind]++);
    put32(at + 4, leg->time[kind]);
    put32(at + 8, is->ssrc[kind]);
    put16(at + 12, 0xBEDE);
    if (is->time_id) {
        uint32_t fixed = (uint32_t)((now % 64000000000LL) * 262144 / 1000000000LL);
        *e++ = (uint8_t)(is->time_id << 4 | 2);
        *e++ = (uint8_t)(fixed >> 16), *e++ = (uint8_t)(fixed >> 8), *e++ = (uint8_t)fixed;
    }
    if (is->count_id) {
        *e++ = (uint8_t)(is->count_id << 4 | 1);
        put16(e, leg->transport_seq++);
        e += 2;
    }
    if (is->mid_id) *e++ = (uint8_t)(is->mid_id << 4), *e++ = is->mid[kind];
    if (is->level_id && kind == AUDIO) *e++ = (uint8_t)(is->level_id << 4), *e++ = 0x9e;
    while ((e - at) % 4) *e++ = 0;
    put16(at + 14, (uint16_t)((e - at - 16) / 4));
    return (int)(e - at);
}

static void add(struct load *load, struct leg *leg, int kind, uint32_t packet, int marker,
                int slot, int64_t now) {
    const struct clip *clip = &load->clip[kind];
    uint32_t size = clip->offsets[packet + 1] - clip->offsets[packet];
    uint8_t *at = load->out_bytes[slot];
    int length = head(leg, kind, marker, at, now);
    struct stamp stamp = {STAMP_MAGIC, leg->is.sender, (uint32_t)kind, leg->number[kind]++, now};
    memcpy(at + length, clip->bytes + clip->offsets[packet], size);
    length += (int)size;
    memcpy(at + length - (int)sizeof stamp, &stamp, sizeof stamp);
    leg->packets[kind]++;
    leg->octets[kind] += size;
    if (load->protect(leg->is.outbound, at, &length)) length = 0;
    load->out_vec[slot].iov_len = (size_t)length;
}

static void flush(struct load *load, struct leg *leg, int count, int64_t now) {
    int sent = count ? sendmmsg(leg->is.fd, load->out, (unsigned)count, MSG_DONTWAIT) : 0;
    if (sent < 0) sent = 0;
    leg->count.sent += (uint64_t)sent;
    leg->count.unsent += (uint64_t)(count - sent);
    /* What this machine did not take was never on the line: it is no loss of the server's. */
    if (in_window(load, now)) leg->count.sent_in += (uint64_t)sent;
}

static void begin_frame(struct load *load, struct leg *leg) {
    const struct clip *clip = &load->clip[VIDEO];
    leg->frame = (leg->frame + 1) % clip->frame_count;
    if (leg->wants_keyframe) {
        while (!clip->keys[leg->frame]) leg->frame = (leg->frame + 1) % clip->frame_count;
        leg->wants_keyframe = 0;
    }
    leg->packet = clip->frames[leg->frame];
    leg->end = clip->frames[leg->frame + 1];
    leg->time[VIDEO] += 3000;
    leg->sending = 1;
}

static void late(struct load *load, struct leg *leg, int64_t due, int64_t now) {
    if (!in_window(load, now)) return;
    note(load->lateness, now - due);
    if (now - due > 10000000LL) leg->count.late_sends++;
}

static void send_due(struct load *load, struct leg *leg, int64_t now) {
    int count = 0;
    if (now >= leg->due[AUDIO]) {
        late(load, leg, leg->due[AUDIO], now);
        leg->time[AUDIO] += 960;
        add(load, leg, AUDIO, leg->sound, 0, count++, now);
        leg->sound = (leg->sound + 1) % load->clip[AUDIO].frame_count;
        leg->due[AUDIO] += SOUND_NS;
    }
    if (now >= leg->due[VIDEO]) {
        if (!leg->sending) {
            late(load, leg, leg->due[VIDEO], now);
            begin_frame(load, leg);
        }
        for (int n = 0; n < BURST && leg->packet < leg->end; n++, leg->packet++)
            add(load, leg, VIDEO, leg->packet, leg->packet + 1 == leg->end, count++, now);
        if (leg->packet < leg->end) {
            leg->due[VIDEO] += BURST_GAP_NS;
        } else {
            uint32_t bursts =
                (leg->end - load->clip[VIDEO].frames[leg->frame] + BURST - 1) / BURST;
            leg->due[VIDEO] += FRAME_NS - (int64_t)(bursts - 1) * BURST_GAP_NS;
            leg->sending = 0;
        }
    }
    flush(load, leg, count, now);
}

static void report(struct load *load, struct leg *leg, int64_t now) {
    uint64_t seconds = (uint64_t)(now / 1000000000LL) + 2208988800ULL;
    uint32_t fraction = (uint32_t)(((uint64_t)(now % 1000000000LL) << 32) / 1000000000ULL);
    for (int kind = AUDIO; kind <= VIDEO; kind++) {
        uint8_t *at = load->out_bytes[0];
        int blocks = leg->heard_ssrc[kind] != 0, length = 8;
        if (!leg->is.sends && !blocks) continue;
        put32(at + 4, leg->is.ssrc[kind]);
        if (leg->is.sends) {
            put32(at + 8, (uint32_t)seconds), put32(at + 12, fraction);
            put32(at + 16, leg->time[kind]);
            put32(at + 20, leg->packets[kind]), put32(at + 24, leg->octets[kind]);
            length = 28;
        }
        if (blocks) {
            memset(at + length, 0, 24);
            put32(at + length, leg->heard_ssrc[kind]);
            put32(at + length + 8, leg->heard_seq[kind]);
            length += 24;
        }
        at[0] = (uint8_t)(0x80 | blocks);
        at[1] = leg->is.sends ? 200 : 201;
        put16(at + 2, (uint16_t)(length / 4 - 1));
        if (!load->protect_rtcp(leg->is.outbound, at, &length))
            (void)send(leg->is.fd, at, (size_t)length, MSG_DONTWAIT);
    }
    leg->report_due += REPORT_NS;
}

/* --- in */

static void take_rtcp(struct load *load, struct leg *leg, uint8_t *at, int size) {
    if (size < 8 || load->unprotect_rtcp(leg->is.inbound, at, &size)) {
        leg->count.forged++;
        return;
    }
    for (int p = 0; p + 4 <= size;) {
        int length = 4 * ((at[p + 2] << 8 | at[p + 3]) + 1), form = at[p] & 31;
        if (at[p + 1] == 206 && (form == 1 || form == 4)) {
            leg->count.wishes++;
            leg->wants_keyframe = 1;
        }
        leg->count.nacks += at[p + 1] == 205 && form == 1;
        leg->count.feedback += at[p + 1] == 205 && form == 15;
        p += length;
    }
}

static void take_rtp(struct load *load, struct leg *leg, uint8_t *at, int size, int64_t arrived) {
    struct stamp stamp;
    if (size < 12 || load->unprotect(leg->is.inbound, at, &size) || size < 12) {
        leg->count.forged++;
        return;
    }
    leg->count.received++;
    if (size < 12 + (int)sizeof stamp) {
        leg->count.strange++;
        return;
    }
    memcpy(&stamp, at + size - (int)sizeof stamp, sizeof stamp);
    if (stamp.magic != STAMP_MAGIC || stamp.sender != leg->is.hears || stamp.kind > VIDEO) {
        leg->count.strange++;
        return;
    }
    if (!leg->count.first_ns) leg->count.first_ns = arrived;
    leg->heard_ssrc[stamp.kind] = get32(at + 8);
    leg->heard_seq[stamp.kind] = (uint32_t)(at[2] << 8 | at[3]);
    if (in_window(load, stamp.sent_ns)) {
        leg->count.received_in++;
        note(load->delay, arrived - stamp.sent_ns);
    }
}

static int64_t arrival(struct msghdr *message, int64_t otherwise) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return t.tv_sec * 1000000000LL + t.tv_nsec;
        }
    return otherwise;
}

static void take(struct load *load, struct leg *leg) {
    static _Thread_local uint8_t bytes[64][ROOM];
    static _Thread_local char control[64][64];
    struct mmsghdr in[64];
    struct iovec vec[64];
    for (int n = 0; n < 64; n++) {
        vec[n] = (struct iovec){bytes[n], ROOM};
        in[n].msg_hdr = (struct msghdr){.msg_iov = &vec[n],
                                        .msg_iovlen = 1,
                                        .msg_control = control[n],
                                        .msg_controllen = sizeof control[n]};
    }
    int got = recvmmsg(leg->is.fd, in, 64, MSG_DONTWAIT, NULL);
    int64_t now = now_ns();
    for (int n = 0; n < got; n++) {
        int size = (int)in[n].msg_len;
        if (size < 2 || bytes[n][0] < 128 || bytes[n][0] > 191) continue; /* STUN and DTLS */
        if (bytes[n][1] >= 192 && bytes[n][1] <= 223)
            take_rtcp(load, leg, bytes[n], size);
        else
            take_rtp(load, leg, bytes[n], size, arrival(&in[n].msg_hdr, now));
    }
}

/* --- what Python calls */

void *load_new(const struct clip *clips, void *const *functions) {
    struct load *load = calloc(1, sizeof *load);
    if (!load) return NULL;
    load->clip[AUDIO] = clips[AUDIO], load->clip[VIDEO] = clips[VIDEO];
    memcpy(&load->protect, functions, 4 * sizeof *functions);
    load->leg = calloc(MAX_LEGS, sizeof *load->leg);
    load->delay = calloc(BUCKETS, sizeof *load->delay);
    load->lateness = calloc(BUCKETS, sizeof *load->lateness);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int n = 0; n <= BURST; n++) {
        load->out_vec[n].iov_base = load->out_bytes[n];
        load->out[n].msg_hdr = (struct msghdr){.msg_iov = &load->out_vec[n], .msg_iovlen = 1};
    }
    if (load->leg && load->delay && load->lateness && load->epoll >= 0) return load;
    free(load->leg), free(load->delay), free(load->lateness), free(load);
    return NULL;
}

/* Returns the leg's number, or -1 when there are too many or the socket cannot be watched. */
int load_add(struct load *load, const struct setup *setup) {
    unsigned legs = atomic_load(&load->legs), number = 0;
    while (number < legs && atomic_load(&load->leg[number].state) != FREE) number++;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    int on = 1;
    int64_t now = now_ns();
    if (number >= MAX_LEGS) return -1;
    struct leg *leg = &load->leg[number];
    memset(leg, 0, sizeof *leg);
    leg->is = *setup;
    /* No two begin together, nor with their first frame at once. */
    leg->due[AUDIO] = now + (int64_t)(setup->sender * 7919u % 20u) * 1000000LL;
    leg->due[VIDEO] = now + (int64_t)(setup->sender * 104729u % 33u) * 1000000LL;
    leg->report_due = now + (int64_t)(setup->sender * 613u % 1000u) * 1000000LL;
    leg->frame = load->clip[VIDEO].frame_count - 1;
    if (setsockopt(setup->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)) return -1;
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, setup->fd, &event)) return -1;
    atomic_store(&leg->state, LIVE);
    if (number == legs) atomic_store(&load->legs, legs + 1);
    return (int)number;
}

/* Ends a leg: its socket is the caller's again once load_ended says so. */
void load_end(struct load *load, unsigned number) {
    atomic_store(&load->leg[number].state, ENDING);
}

int load_ended(struct load *load, unsigned number) {
    return atomic_load(&load->leg[number].state) == FREE;
}

void load_run(struct load *load) {
    struct epoll_event events[256];
    while (!atomic_load(&load->stop)) {
        unsigned legs = atomic_load(&load->legs);
        int64_t now = now_ns();
        int quiet = atomic_load(&load->quiet);
        for (unsigned n = 0; n < legs; n++) {
            struct leg *leg = &load->leg[n];
            int state = atomic_load(&leg->state);
            if (state == ENDING) {
                epoll_ctl(load->epoll, EPOLL_CTL_DEL, leg->is.fd, NULL);
                atomic_store(&leg->state, FREE);
            }
            if (state != LIVE) continue;
            if (leg->is.sends && !quiet && (now >= leg->due[AUDIO] || now >= leg->due[VIDEO]))
                send_due(load, leg, now_ns());
            if (now >= leg->report_due) report(load, leg, now);
        }
        struct timespec wait = {0, IDLE_NS};
        int ready = epoll_pwait2(load->epoll, events, 256, &wait, NULL);
        for (int n = 0; n < ready; n++) {
            struct leg *leg = &load->leg[events[n].data.u32];
            if (atomic_load(&leg->state) == LIVE) take(load, leg);
        }
    }
}

/* Sends nothing more; what is under way is still taken in. */
void load_quiet(struct load *load) { atomic_store(&load->quiet, 1); }

void load_stop(struct load *load) { atomic_store(&load->stop, 1); }

/* Counts packets that were sent within these times, in nanoseconds since 1970. */
void load_mark(struct load *load, int64_t from_ns, int64_t until_ns) {
    atomic_store(&load->until_ns, until_ns);
    atomic_store(&load->from_ns, from_ns);
}

unsigned load_legs(struct load *load) { return atomic_load(&load->legs); }

void load_leg(struct load *load, unsigned number, struct totals *out) {
    *out = load->leg[number].count;
}

/* The delay (which 0) or lateness of sending (1) that so many of a million stay below, in us. */
double load_quantile(struct load *load, int which, uint64_t of_million) {
    const uint32_t *histogram = which ? load->lateness : load->delay;
    uint64_t all = 0, passed = 0;
    for (int n = 0; n < BUCKETS; n++) all += histogram[n];
    for (int n = 0; n < BUCKETS && all; n++) {
        passed += histogram[n];
        if (passed * 1000000 >= all * of_million) return (n + 1) * (double)BUCKET_NS / 1000.0;
    }
    return -1.0;
}

void load_free(struct load *load) {
    close(load->epoll);
    free(load->leg), free(load->delay), free(load->lateness), free(load);
}
