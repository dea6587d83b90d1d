#include "results_csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "csv_table.h"
#include "fail.h"
#include "whole_file.h"

/* printf would show the sign of a nan, which means nothing and differs from machine to machine. */
static void write_loss(FILE *out, double value) {
    if (isnan(value))
        fputs("nan", out);
    else
        fprintf(out, "%.6f", value);
}

static void write_row(FILE *out, const char *arm, uint64_t seed, const validation *v) {
    write_csv_field(out, arm);
    fprintf(out, ",%" PRIu64 ",%s,%s,%s,", seed, v->texts[EPOCH_TEXT], v->texts[ITERATION_TEXT],
            v->texts[IMAGES_TEXT]);
    write_loss(out, v->train_ce);
    fputs(",", out);
    if (v->has_lb)
        write_loss(out, v->train_lb);
    fprintf(out, ",%s,%s,%s\n", v->texts[TOP1_TEXT], v->texts[TOPK_TEXT], v->texts[CE_TEXT]);
}

void write_results_csv(const char *folder, const comparison_results *results) {
    const comparison *about = &results->about;
    text_buffer text;
    open_text(&text);
    fputs("arm,seed,epoch,iteration,images,train_ce,train_lb,valid_top1,valid_topk,valid_ce\n",
          text.stream);
    for (size_t a = 0; a < about->arm_count; a++)
        for (size_t s = 0; s < about->seed_count; s++) {
            const run_log *log = &run_of(results, a, s)->log;
            for (size_t i = 0; i < log->count; i++)
                write_row(text.stream, about->arms[a].name, about->seeds[s], &log->validations[i]);
        }
    char *path = format_string("%s/results.csv", folder);
    write_whole_file(path, &text);
    free(path);
}
