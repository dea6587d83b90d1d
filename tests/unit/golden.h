/* Reads the reference cases of tests/golden, which PyTorch's autograd computed. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int batch, classes, overlap;
    float temperature, alpha;
    float *logits;  /* (batch, classes) */
    float *teacher; /* (overlap, classes) */
    int *labels;    /* (batch) */
    double ce, lb, total;
    double *gradient; /* (batch, classes), d total / d logits */
} golden;

static inline void golden_die(const char *path, const char *what) {
    fprintf(stderr, "%s: %s; make it again with tests/golden/make_golden.py tests/golden\n", path,
            what);
    exit(2);
}

/* Reads `name` and then `count` numbers. */
static inline double *golden_row(FILE *file, const char *path, const char *name, size_t count) {
    char word[32];
    double *values = calloc(count, sizeof *values);
    if (fscanf(file, "%31s", word) != 1 || strcmp(word, name))
        golden_die(path, name);
    for (size_t i = 0; i < count; i++)
        if (fscanf(file, "%lf", &values[i]) != 1)
            golden_die(path, "a row is too short");
    return values;
}

static inline float *golden_floats(double *values, size_t count) {
    float *floats = calloc(count, sizeof *floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)values[i];
    free(values);
    return floats;
}

static inline double golden_number(FILE *file, const char *path, const char *name) {
    double *value = golden_row(file, path, name, 1), number = *value;
    free(value);
    return number;
}

static inline golden golden_read(const char *name) {
    char path[256];
    golden g = {0};
    int version = 0;
    snprintf(path, sizeof path, "tests/golden/%s.txt", name);
    FILE *file = fopen(path, "r");
    if (!file)
        golden_die(path, "cannot be opened");
    if (fscanf(file, "dlb-golden %d", &version) != 1 || version != 1)
        golden_die(path, "is not version 1");
    if (fscanf(file, " batch %d classes %d overlap %d temperature %f alpha %f", &g.batch,
               &g.classes, &g.overlap, &g.temperature, &g.alpha) != 5)
        golden_die(path, "has no shapes");
    size_t all = (size_t)g.batch * (size_t)g.classes;
    size_t half = (size_t)g.overlap * (size_t)g.classes;
    g.logits = golden_floats(golden_row(file, path, "logits", all), all);
    g.teacher = golden_floats(golden_row(file, path, "teacher", half), half);
    double *labels = golden_row(file, path, "labels", (size_t)g.batch);
    g.labels = calloc((size_t)g.batch, sizeof *g.labels);
    for (int i = 0; i < g.batch; i++)
        g.labels[i] = (int)labels[i];
    free(labels);
    g.ce = golden_number(file, path, "ce");
    g.lb = golden_number(file, path, "lb");
    g.total = golden_number(file, path, "total");
    g.gradient = golden_row(file, path, "grad", all);
    fclose(file);
    return g;
}

static inline void golden_free(golden *g) {
    free(g->logits);
    free(g->teacher);
    free(g->labels);
    free(g->gradient);
}

#endif
