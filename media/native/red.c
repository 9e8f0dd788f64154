/* Sound that carries the packet before along (RFC 2198); said in streams.h. */
#include "streams.h"

#include <string.h>

bool red_read(const uint8_t *data, int payload, int size, int payload_type, red *found)
{
    int end = size - rtp_padding_bytes(data, payload, size), at = payload, before = 0;
    *found = (red){.end = end};
    for (; at + 4 < end && data[at] & 0x80; at += 4) {
        int bytes = get16(data + at + 2) & 0x3FF;
        found->again_size = (data[at] & 0x7F) == payload_type ? bytes : 0;
        found->behind = data[at + 1] << 6 | data[at + 2] >> 2;
        before += bytes;
    }
    if (at >= end || data[at] != payload_type)
        return false;
    found->main_at = at + 1 + before;
    return found->main_at < end;
}

static void plain_head(uint8_t *data, int mark, int payload_type)
{
    data[0] &= 0xDF; /* no padding */
    data[1] = (uint8_t)(mark | payload_type);
}

int red_unwrap_main(uint8_t *data, int payload, const red *r, int payload_type)
{
    memmove(data + payload, data + r->main_at, (size_t)(r->end - r->main_at));
    plain_head(data, data[1] & 0x80, payload_type);
    return payload + r->end - r->main_at;
}

int red_copy_before(const uint8_t *data, int payload, const red *r, int payload_type,
                    uint8_t *out)
{
    memcpy(out, data, (size_t)payload);
    memcpy(out + payload, data + r->main_at - r->again_size, (size_t)r->again_size);
    plain_head(out, 0, payload_type);
    put16(out + 2, (uint16_t)(get16(data + 2) - 1));
    put32(out + 4, get32(data + 4) - (uint32_t)r->behind);
    return payload + r->again_size;
}
