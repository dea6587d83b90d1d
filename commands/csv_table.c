#include "csv_table.h"

#include <csv.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "file_bytes.h"

typedef struct {
    csv_table table;
    FILE *fields; /* to table.text */
    size_t text_size;
    size_t next_offset;
    size_t offset_count, offset_room, line_room;
    size_t fields_in_row, line;
} csv_reader;

static size_t *append(size_t *list, size_t count, size_t *room, size_t value, const char *path) {
    if (count == *room) {
        *room = *room ? 2 * *room : 64;
        list = realloc(list, *room * sizeof *list);
        if (!list)
            fail("out of memory: %zu numbers asked for to read %s", *room, path);
    }
    list[count] = value;
    return list;
}

static void take_field(void *field, size_t size, void *data) {
    csv_reader *in = data;
    if (memchr(field, '\0', size))
        fail("%s, line %zu: a zero byte, but this is a text file", in->table.path, in->line);
    in->table.offsets = append(in->table.offsets, in->offset_count++, &in->offset_room,
                               in->next_offset, in->table.path);
    fwrite(field, 1, size, in->fields);
    fputc('\0', in->fields);
    in->next_offset += size + 1;
    in->fields_in_row++;
}

static void take_row(int end, void *data) {
    (void)end;
    csv_reader *in = data;
    if (in->fields_in_row != in->table.columns)
        fail("%s, line %zu: %zu fields, but the header names %zu", in->table.path, in->line,
             in->fields_in_row, in->table.columns);
    in->table.lines =
        append(in->table.lines, in->table.rows++, &in->line_room, in->line, in->table.path);
    in->fields_in_row = 0;
}

static int is_line_feed(unsigned char c) {
    return c == '\n';
}

/* Blanks are part of a field. */
static int is_never_space(unsigned char c) {
    (void)c;
    return 0;
}

/* A byte at a time, so that a message can name the line. */
static void parse(csv_reader *in, const char *bytes, size_t size) {
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0)
        fail("cannot start to read %s", in->table.path);
    csv_set_term_func(&parser, is_line_feed);
    csv_set_space_func(&parser, is_never_space);
    for (size_t i = 0; i < size; i++) {
        if (csv_parse(&parser, bytes + i, 1, take_field, take_row, in) != 1)
            fail("%s, line %zu: %s", in->table.path, in->line,
                 csv_error(&parser) == CSV_EPARSE ? "a quote is out of place"
                                                  : csv_strerror(csv_error(&parser)));
        in->line += bytes[i] == '\n';
    }
    if (csv_fini(&parser, take_field, take_row, in) != 0)
        fail("%s, line %zu: a quote is never closed", in->table.path, in->line);
    csv_free(&parser);
}

/* Returns what follows the header's line. */
static const char *skip_header(csv_reader *in, const char *bytes, size_t size, const char *header) {
    size_t length = strlen(header);
    if (size <= length || memcmp(bytes, header, length) != 0 || bytes[length] != '\n')
        fail("%s, line 1: the header is not %s", in->table.path, header);
    in->table.columns = 1;
    for (const char *c = header; *c; c++)
        in->table.columns += *c == ',';
    in->line = 2;
    return bytes + length + 1;
}

csv_table read_csv(const char *path, const char *header) {
    size_t size;
    char *bytes = read_file_bytes(path, &size);
    if (!bytes)
        fail("cannot read %s: %s", path, strerror(errno));
    csv_reader in = {.table.path = format_string("%s", path)};
    in.fields = open_memstream(&in.table.text, &in.text_size);
    const char *rows = skip_header(&in, bytes, size, header);
    if (bytes[size - 1] != '\n') {
        for (const char *c = rows; c < bytes + size; c++)
            in.line += *c == '\n';
        fail("%s, line %zu: the last row is cut, it does not end in a line feed", path, in.line);
    }
    if (in.fields)
        parse(&in, rows, size - (size_t)(rows - bytes));
    if (!in.fields || ferror(in.fields) || fclose(in.fields) != 0)
        fail("out of memory: %zu bytes asked for to read %s", size, path);
    free(bytes);
    return in.table;
}

const char *csv_field(const csv_table *table, size_t row, size_t column) {
    return table->text + table->offsets[row * table->columns + column];
}

void free_csv(csv_table *table) {
    free(table->path);
    free(table->lines);
    free(table->offsets);
    free(table->text);
    *table = (csv_table){0};
}

void write_csv_field(FILE *stream, const char *text) {
    if (strpbrk(text, ",\"\r\n"))
        csv_fwrite(stream, text, strlen(text));
    else
        fputs(text, stream);
}
