/* The size of an H.264 picture, as media/sps.py reads it: ITU-T H.264 section 7.3.2.1.1. */
#include "streams.h"

#include <string.h>

enum { SPS = 7, STAP_A = 24, MAX_SPS_BYTES = 96, MAX_SIDE_PX = 16384, RGB = 3 };

/* Beyond the end there are zeros, and `whole` is false from then on. */
typedef struct {
    uint8_t data[MAX_SPS_BYTES];
    int at, end; /* in bits */
    bool whole;
} bits;

static uint32_t take(bits *b, int count)
{
    uint32_t value = 0;
    if (count > b->end - b->at) {
        b->at = b->end;
        b->whole = false;
        return 0;
    }
    for (; count > 0; count--, b->at++)
        value = value << 1 | ((uint32_t)b->data[b->at / 8] >> (7 - b->at % 8) & 1);
    return value;
}

/* An unsigned exp-Golomb number (section 9.1) of at most `most`. */
static uint32_t number(bits *b, uint32_t most)
{
    int zeros = 0;
    while (b->whole && !take(b, 1)) {
        zeros++;
        b->whole = b->whole && zeros < 32;
    }
    if (!b->whole)
        return 0;
    uint64_t value = ((uint64_t)1 << zeros) - 1 + take(b, zeros);
    if (value > most)
        b->whole = false;
    return b->whole ? (uint32_t)value : 0;
}

/* A signed one, of which the lowest 8 bits are all that is asked for. */
static uint32_t signed_byte(bits *b)
{
    uint32_t value = number(b, 0xFFFFFFFE);
    return (value & 1 ? value / 2 + 1 : 0u - value / 2) & 0xFF;
}

static void scaling(bits *b, int count)
{
    uint32_t last = 8;
    for (int i = 0; i < count; i++) {
        uint32_t next = (last + signed_byte(b)) & 0xFF;
        if (!next || !b->whole)
            return;
        last = next;
    }
}

static bool has_chroma(uint32_t profile)
{
    static const uint8_t profiles[] = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244};
    return memchr(profiles, (int)profile, sizeof profiles) != NULL;
}

/* Read up to what the profile adds and return ChromaArrayType. */
static uint32_t begin(bits *b)
{
    uint32_t profile = take(b, 8);
    take(b, 16);
    number(b, 31);
    if (!has_chroma(profile))
        return 1;
    uint32_t form = number(b, 3), planes = form == RGB ? take(b, 1) : 0;
    number(b, 6);
    number(b, 6);
    take(b, 1);
    if (take(b, 1))
        for (int place = 0; place < (form == RGB ? 12 : 8); place++)
            if (take(b, 1))
                scaling(b, place < 6 ? 16 : 64);
    return planes ? 0 : form;
}

/* Read how pictures are numbered and ordered. */
static void order(bits *b)
{
    number(b, 12);
    uint32_t kind = number(b, 2);
    if (kind == 0) {
        number(b, 12);
    } else if (kind == 1) {
        take(b, 1);
        signed_byte(b);
        signed_byte(b);
        for (uint32_t left = number(b, 255); left > 0; left--)
            signed_byte(b);
    }
}

static void read_size(const uint8_t *data, int size, int *width, int *height)
{
    bits b = {.whole = true};
    int zeros = 0;
    for (int i = 0; i < size && i < MAX_SPS_BYTES; i++) { /* without emulation prevention */
        bool keeps_apart = zeros >= 2 && data[i] == 3;
        if (!keeps_apart) {
            b.data[b.end / 8] = data[i];
            b.end += 8;
        }
        zeros = data[i] ? 0 : zeros + 1;
    }
    uint32_t chroma = begin(&b);
    order(&b);
    number(&b, 16);
    take(&b, 1);
    int wide = 16 * ((int)number(&b, MAX_SIDE_PX / 16 - 1) + 1);
    int high = 16 * ((int)number(&b, MAX_SIDE_PX / 16 - 1) + 1);
    int fields = take(&b, 1) ? 1 : 2;
    take(&b, fields); /* mb_adaptive_frame_field_flag, direct_8x8_inference_flag */
    high *= fields;
    if (take(&b, 1)) {
        int cut[4];
        for (int i = 0; i < 4; i++)
            cut[i] = (int)number(&b, MAX_SIDE_PX);
        wide -= (cut[0] + cut[1]) * (chroma == 1 || chroma == 2 ? 2 : 1);
        high -= (cut[2] + cut[3]) * fields * (chroma == 1 ? 2 : 1);
    }
    if (b.whole && wide > 0 && wide <= MAX_SIDE_PX && high > 0 && high <= MAX_SIDE_PX) {
        *width = wide;
        *height = high;
    }
}

void frame_h264_size(const uint8_t *data, int payload, int size, int *width, int *height)
{
    *width = *height = 0;
    if (payload >= size)
        return;
    int kind = data[payload] & 0x1F, at = payload + 1;
    if (kind == SPS)
        read_size(data + at, size - at, width, height);
    while (kind == STAP_A && at + 3 <= size) {
        int end = at + 2 + get16(data + at);
        if (end == at + 2 || end > size)
            return;
        if ((data[at + 2] & 0x1F) == SPS) {
            read_size(data + at + 3, end - at - 3, width, height);
            return;
        }
        at = end;
    }
}
