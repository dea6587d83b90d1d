/* CSV files as this program writes them: a header, a line feed after every row, quotes where a
 * field needs them (RFC 4180). */
#ifndef DLB_CSV_TABLE_H
#define DLB_CSV_TABLE_H

#include <stddef.h>
#include <stdio.h>

/* A file in memory, without its header. Owned; release it with free_csv(). */
typedef struct {
    char *path;
    size_t rows, columns;
    size_t *lines;   /* (rows), the line on which a row ends, from 1 */
    size_t *offsets; /* (rows, columns), where each field starts in `text` */
    char *text;      /* the fields, each ended by a zero */
} csv_table;

/* Reads all of `path`. Fails, with the file's name and the line, where it cannot be read, does not
 * begin with the columns of `header` (names joined by commas), has a row with more or fewer
 * fields, a quote out of place or a zero byte, or where its last row does not end in a line feed,
 * which is how a row that was cut shows. */
csv_table read_csv(const char *path, const char *header);

/* A field, as text; owned by the table. */
const char *csv_field(const csv_table *table, size_t row, size_t column);

void free_csv(csv_table *table);

/* Writes a field, in quotes if it needs them. */
void write_csv_field(FILE *stream, const char *text);

#endif
