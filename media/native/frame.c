/* What a packet is to its frame (RFC 7741, RFC 6184); said in streams.h. */
#include "streams.h"

static const frame UNKNOWN_FRAME = {SYNC, 0, 0};

/* The base layer is needed, whatever the N bit says. */
static int layered(int flags, uint8_t layer)
{
    if ((layer & 0xC0) == 0)
        return flags & LONG_ID;
    return (flags & LONG_ID) | NEEDLESS | (layer & 0x20 ? SYNC : 0);
}

static frame read_vp8(const uint8_t *data, int payload, int size)
{
    uint8_t first = data[payload];
    int at = payload + 1;
    frame f = {first & 0x20 ? SYNC | NEEDLESS : SYNC, 0, 0};
    if (first & 0x80) {
        if (at >= size)
            return UNKNOWN_FRAME;
        uint8_t more = data[at++];
        if (more & 0x80) {
            if (at + 2 > size)
                return UNKNOWN_FRAME;
            f.id_at = at;
            if (data[at] & 0x80) {
                f.flags |= LONG_ID;
                at++;
            }
            at++;
        }
        if (more & 0x40)
            f.level_at = at++;
        if (more & 0x30) {
            if (at >= size)
                return UNKNOWN_FRAME;
            if (more & 0x20)
                f.flags = layered(f.flags, data[at]);
            at++;
        }
    }
    /* The start of partition 0, whose first bit says that other frames are needed. */
    if ((first & 0x17) == 0x10 && at < size && !(data[at] & 1))
        f.flags |= BEGINS_KEY;
    return at <= size ? f : UNKNOWN_FRAME;
}

enum { NAL_IDR = 5, NAL_SPS = 7, NAL_STAP_A = 24, NAL_FU_A = 28 };

static int aggregated(const uint8_t *data, int at, int size)
{
    int flags = 0;
    while (at + 3 <= size) {
        int length = get16(data + at), kind = data[at + 2] & 0x1F;
        if (length == 0 || at + 2 + length > size)
            break;
        if (kind == NAL_SPS)
            return BEGINS_KEY;
        if (kind == NAL_IDR)
            flags = BEGINS_KEY | BARE;
        at += 2 + length;
    }
    return flags;
}

static frame read_h264(const uint8_t *data, int payload, int size)
{
    uint8_t first = data[payload];
    int flags = first & 0x60 ? SYNC : SYNC | NEEDLESS;
    switch (first & 0x1F) {
    case NAL_SPS:
        flags |= BEGINS_KEY;
        break;
    case NAL_IDR:
        flags |= BEGINS_KEY | BARE;
        break;
    case NAL_FU_A:
        if (payload + 1 < size && (data[payload + 1] & 0x9F) == (0x80 | NAL_IDR))
            flags |= BEGINS_KEY | BARE;
        break;
    case NAL_STAP_A:
        flags |= aggregated(data, payload + 1, size);
        break;
    default:
        break;
    }
    return (frame){flags, 0, 0};
}

frame frame_read(int codec, const uint8_t *data, int payload, int size)
{
    if (codec == OPUS)
        return (frame){0, 0, 0};
    if (payload >= size)
        return UNKNOWN_FRAME;
    return codec == VP8 ? read_vp8(data, payload, size) : read_h264(data, payload, size);
}

int frame_picture_id(const uint8_t *data, frame f)
{
    if (f.flags & LONG_ID)
        return get16(data + f.id_at) & 0x7FFF;
    return f.id_at ? data[f.id_at] & 0x7F : 0;
}

void frame_shift_ids(uint8_t *data, frame f, int id_shift, int level_shift)
{
    if (f.id_at && f.flags & LONG_ID)
        put16(data + f.id_at, (uint16_t)((get16(data + f.id_at) + id_shift) | 0x8000));
    else if (f.id_at)
        data[f.id_at] = (uint8_t)((data[f.id_at] + id_shift) & 0x7F);
    if (f.level_at)
        data[f.level_at] = (uint8_t)(data[f.level_at] + level_shift);
}

void frame_vp8_size(const uint8_t *data, int payload, int size, int *width, int *height)
{
    *width = *height = 0;
    for (int at = payload; at + 7 <= size && at + 3 <= payload + 12; at++)
        if (data[at] == 0x9D && data[at + 1] == 0x01 && data[at + 2] == 0x2A) {
            *width = (data[at + 3] | data[at + 4] << 8) & 0x3FFF;
            *height = (data[at + 5] | data[at + 6] << 8) & 0x3FFF;
            return;
        }
}
