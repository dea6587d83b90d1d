/* A cfg as text: to look up and to change single keys and leave all the rest as it was written. */
#ifndef DLB_CFG_TEXT_H
#define DLB_CFG_TEXT_H

#include <stdbool.h>
#include <stdio.h>

typedef struct {
    char *path;
    char **lines; /* (count), without line ends; owned */
    int count;
} cfg_text;

/* Reads the file. Fails where it cannot be read, or does not start with [net] or [network] once
 * blank lines and comments are left aside. Release it, and each copy, with free_cfg_text(). */
cfg_text read_cfg_text(const char *path);
cfg_text copy_cfg_text(const cfg_text *cfg);
void free_cfg_text(cfg_text *cfg);

/* A whole number of the [net] section, as Darknet reads it: of the first line with that key, in
 * which blanks do not count. `otherwise` where there is none. Fails where it is less than `least`
 * or no number. */
long find_net_number(const cfg_text *cfg, const char *key, long least, long otherwise);

/* Whether there is a section [name]. */
bool has_section(const cfg_text *cfg, const char *name);

/* Sets `key` in the first section [name], which must be there; "net" stands for [network] too. */
void set_cfg_value(cfg_text *cfg, const char *name, const char *key, const char *value);

/* Adds a line at the end. */
void append_cfg_line(cfg_text *cfg, const char *line);

/* Cuts the section [name], from its line to the end of the file or to the next section. */
void cut_section(cfg_text *cfg, const char *name);

void print_cfg_text(const cfg_text *cfg, FILE *out);

#endif
