/* SPDX-License-Identifier: Apache-2.0
 *
 * zip_list.c: the directory stands at the end of the file, behind it the record that says where it
 * begins; a file that is cut has none. Every number is held against the file's size.
 */
#include "zip_list.h"

#include "file_bytes.h"

#include <string.h>

#define END_BYTES 22
#define MAX_COMMENT 65535
#define END64_BYTES 56
#define LOCATOR_BYTES 20
#define ENTRY_BYTES 46
#define LOCAL_BYTES 30
#define MAX_DIRECTORY (16u << 20)

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static int damaged(struct mr_errbuf *e, const char *what)
{
    return mr__fail(e, MR_E_DATA, "it is a damaged archive: %s", what);
}

/* ---- where the directory is ---- */

struct end {
    uint64_t at; /* of the record itself */
    uint64_t members, bytes, directory;
    uint32_t disk, first_disk;
    bool wide; /* some number does not fit: ZIP64 has it */
};

/* The record at the end: the last one behind which there is just its comment. */
static const uint8_t *find_end(const uint8_t *tail, size_t n)
{
    for (size_t at = n < END_BYTES ? 0 : n - END_BYTES + 1; at-- > 0;) {
        const uint8_t *p = tail + at;
        if (get32(p) == 0x06054b50 && get16(p + 20) == n - at - END_BYTES)
            return p;
    }
    return NULL;
}

static int read_end(int fd, uint64_t file_bytes, struct end *end, struct mr_errbuf *e)
{
    struct mr_buf tail = {0};
    size_t n = file_bytes < END_BYTES + MAX_COMMENT ? (size_t)file_bytes : END_BYTES + MAX_COMMENT;
    if (!mr__buf_reserve(&tail, n))
        return mr__fail(e, MR_E_MEMORY, "not enough memory to read an archive's directory");
    int rc = mr__file_bytes(fd, file_bytes - n, tail.data, n, e);
    const uint8_t *p = rc < 0 ? NULL : find_end(tail.data, n);
    if (rc == MR_OK && !p)
        rc = damaged(e, "its directory, which stands at the end, is missing: the file was cut");
    if (p)
        *end = (struct end){.at = file_bytes - n + (uint64_t)(p - tail.data),
                            .disk = get16(p + 4),
                            .first_disk = get16(p + 6),
                            .members = get16(p + 10),
                            .bytes = get32(p + 12),
                            .directory = get32(p + 16)};
    mr__buf_free(&tail);
    end->wide = end->members == UINT16_MAX || end->bytes == UINT32_MAX ||
                end->directory == UINT32_MAX || end->disk == UINT16_MAX;
    return rc;
}

/* Numbers of 64 bits stand in a record of their own, which a locator right before `end` names. */
static int read_end64(int fd, struct end *end, struct mr_errbuf *e)
{
    uint8_t locator[LOCATOR_BYTES], p[END64_BYTES];
    if (end->at < LOCATOR_BYTES)
        return damaged(e, "there is no room for its ZIP64 record");
    int rc = mr__file_bytes(fd, end->at - LOCATOR_BYTES, locator, sizeof locator, e);
    if (rc < 0)
        return rc;
    if (get32(locator) != 0x07064b50)
        return MR_OK; /* the numbers are as large as they look */
    uint64_t at = get64(locator + 8), most = end->at - LOCATOR_BYTES;
    if (most < END64_BYTES || at > most - END64_BYTES)
        return damaged(e, "its ZIP64 record lies outside");
    rc = mr__file_bytes(fd, at, p, sizeof p, e);
    if (rc < 0)
        return rc;
    if (get32(p) != 0x06064b50)
        return damaged(e, "its ZIP64 record is none");
    *end = (struct end){.at = at,
                        .disk = get32(p + 16),
                        .first_disk = get32(p + 20),
                        .members = get64(p + 32),
                        .bytes = get64(p + 40),
                        .directory = get64(p + 48)};
    return MR_OK;
}

int mr__zip_open(struct mr_zip *zip, int fd, uint64_t bytes, struct mr_errbuf *e)
{
    struct end end = {0};
    *zip = (struct mr_zip){.file_bytes = bytes};
    int rc = read_end(fd, bytes, &end, e);
    if (rc == MR_OK && end.wide)
        rc = read_end64(fd, &end, e);
    if (rc < 0)
        return rc;
    if (end.disk || end.first_disk)
        return mr__fail(e, MR_E_DATA, "it is one of several files of an archive");
    if (end.bytes > end.at || end.directory > end.at - end.bytes)
        return damaged(e, "its directory lies outside");
    if (end.bytes > MAX_DIRECTORY)
        return mr__fail(e, MR_E_DATA, "its directory has %llu bytes, more than %u",
                        (unsigned long long)end.bytes, MAX_DIRECTORY);
    if (!mr__buf_reserve(&zip->directory, end.bytes + 1))
        return mr__fail(e, MR_E_MEMORY, "not enough memory to read an archive's directory");
    rc = mr__file_bytes(fd, end.directory, zip->directory.data, end.bytes, e);
    zip->directory.n = end.bytes;
    zip->directory_at = end.directory;
    zip->members = end.members;
    return rc;
}

void mr__zip_close(struct mr_zip *zip)
{
    mr__buf_free(&zip->directory);
}

/* ---- members ---- */

/* In the extra fields of an entry, those of 64 bits that stand for *wide[], in this order. */
static bool read_wide(const uint8_t *extra, size_t n, uint64_t *const *wide, int nwide)
{
    while (n >= 4) {
        size_t id = get16(extra), bytes = get16(extra + 2);
        if (bytes > n - 4)
            return false;
        if (id == 1) {
            if (bytes < (size_t)nwide * 8)
                return false;
            for (int i = 0; i < nwide; i++)
                *wide[i] = get64(extra + 4 + 8 * i);
            return true;
        }
        extra += 4 + bytes;
        n -= 4 + bytes;
    }
    return nwide == 0;
}

int mr__zip_next(struct mr_zip *zip, struct mr_zip_member *m, struct mr_errbuf *e)
{
    const uint8_t *p = zip->directory.data + zip->next;
    size_t left = zip->directory.n - zip->next;
    if (!zip->members)
        return left ? damaged(e, "its directory goes on behind its last member") : MR_END;
    zip->members--;
    if (left < ENTRY_BYTES || get32(p) != 0x02014b50)
        return damaged(e, "its directory ends early");
    size_t name = get16(p + 28), extra = get16(p + 30), comment = get16(p + 32);
    if (left - ENTRY_BYTES < name + extra + comment)
        return damaged(e, "its directory ends within a name");
    uint64_t packed = get32(p + 20), *wide[3];
    int nwide = 0;
    *m = (struct mr_zip_member){.name = (const char *)p + ENTRY_BYTES,
                                .name_bytes = name,
                                .bytes = get32(p + 24),
                                .header = get32(p + 42),
                                .method = (uint16_t)get16(p + 10),
                                .encrypted = get16(p + 8) & 1};
    uint64_t *fields[] = {&m->bytes, &packed, &m->header};
    for (int i = 0; i < 3; i++)
        if (*fields[i] == UINT32_MAX)
            wide[nwide++] = fields[i];
    if (!read_wide(p + ENTRY_BYTES + name, extra, wide, nwide))
        return damaged(e, "a member's size is missing");
    if (!m->method && packed != m->bytes)
        return damaged(e, "a member has two sizes");
    zip->next += ENTRY_BYTES + name + extra + comment;
    return MR_OK;
}

int mr__zip_locate(const struct mr_zip *zip, int fd, const struct mr_zip_member *m, uint64_t *at,
                   struct mr_errbuf *e)
{
    uint8_t p[LOCAL_BYTES];
    uint64_t end = zip->directory_at;
    if (m->encrypted)
        return mr__fail(e, MR_E_DATA, "it is encrypted");
    if (m->method)
        return mr__fail(e, MR_E_DATA,
                        "it is compressed, so that its rows cannot be read where they lie: save "
                        "it by numpy.savez, not savez_compressed");
    if (end < LOCAL_BYTES || m->header > end - LOCAL_BYTES)
        return damaged(e, "a member lies outside");
    int rc = mr__file_bytes(fd, m->header, p, sizeof p, e);
    if (rc < 0)
        return rc;
    if (get32(p) != 0x04034b50)
        return damaged(e, "a member does not begin where the directory says");
    *at = m->header + LOCAL_BYTES + get16(p + 26) + get16(p + 28);
    if (*at > end || m->bytes > end - *at)
        return damaged(e, "a member's content lies outside");
    return MR_OK;
}
