#include "report_text.h"

#include <inttypes.h>
#include <libgen.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "display_text.h"
#include "fail.h"
#include "whole_file.h"

static const char NONE[] = "-";

/* ---- pieces ---- */

static const char *arm_name(const comparison_results *results, size_t arm) {
    return results->about.arms[arm].name;
}

/* Rounded to two digits, so that nothing prints as -0.00. */
static double round_percent(double value) {
    return round(value * 100) / 100 + 0.;
}

static void write_spread(FILE *out, sample_summary s, int digits) {
    if (s.count == 0 || isnan(s.mean))
        fputs(NONE, out);
    else if (s.count == 1)
        fprintf(out, "%.*f", digits, s.mean);
    else
        fprintf(out, "%.*f ± %.*f", digits, s.mean, digits, s.deviation);
}

/* Three digits that count, without an exponent. */
static void write_rate(FILE *out, double value) {
    if (isnan(value))
        fputs(NONE, out);
    else
        fprintf(out, "%.*f", value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 4, value);
}

static bool has_interval(paired_difference d) {
    return d.pairs >= 2;
}

static void write_difference(FILE *out, paired_difference d) {
    if (d.pairs == 0)
        fputs(NONE, out);
    else if (!has_interval(d))
        fprintf(out, "%+.2f (-)", round_percent(d.mean));
    else
        fprintf(out, "%+.2f (%+.2f to %+.2f)", round_percent(d.mean), round_percent(d.low),
                round_percent(d.high));
}

/* ---- what was compared ---- */

static const char EQUAL_IMAGES_WORDS[] =
    "Every arm processes the same number of images in the same number of updates, so each costs "
    "about the same compute. DLB shows each image twice in a row, so in that time it has drawn "
    "half as many new images as an arm without it.";

static const char EQUAL_UPDATES_WORDS[] =
    "As in the paper's code, the baseline's batch is only the new half of DLB's batch. All arms "
    "draw the same number of new images in the same number of updates; DLB also processes each of "
    "them a second time, so it processes twice as many images and costs about twice the compute.";

/* Epochs, and with them validations, are counted in images processed. */
static const char UNEQUAL_CHOICE_WORDS[] =
    "It favours the arms with the whole batch more: they process twice as many images, so they are "
    "validated about twice as often and have more epochs to pick from. ";

static void write_arms(FILE *out, const comparison *about) {
    fputs("| arm | role | batch | subdivisions | iterations planned | cfg |\n"
          "| --- | --- | --- | --- | --- | --- |\n",
          out);
    for (size_t a = 0; a < about->arm_count; a++) {
        const comparison_arm *arm = &about->arms[a];
        fputs("| ", out);
        write_markdown(out, arm->name);
        if (arm->role == CONTROL_ARM) {
            fputs(" | control: alpha=0 in ", out);
            write_markdown(out, about->arms[arm->parent].name);
        } else {
            fprintf(out, " | %s", role_name(arm->role));
        }
        fprintf(out, " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | ", arm->batch, arm->subdivisions,
                arm->max_batches);
        write_markdown(out, arm->cfg);
        fputs(" |\n", out);
    }
}

static void write_seeds(FILE *out, const comparison *about) {
    for (size_t s = 0; s < about->seed_count; s++)
        fprintf(out, "%s%" PRIu64, s > 0 ? ", " : "", about->seeds[s]);
}

static void write_what(FILE *out, const comparison *about) {
    fputs("## What was compared\n\n", out);
    write_code_block(out, (const char *const *)&about->command, 1);
    fputs("\n- Data: ", out);
    write_markdown(out, about->data);
    fprintf(out,
            ", %" PRIu64 " images for training and %" PRIu64 " for validation.\n"
            "- Protocol %s. %s\n- Seeds: ",
            about->train_images, about->valid_images, protocol_name(about->protocol),
            about->protocol == EQUAL_IMAGES ? EQUAL_IMAGES_WORDS : EQUAL_UPDATES_WORDS);
    write_seeds(out, about);
    fputs(". An image counts as processed at each visit.\n\n", out);
    write_arms(out, about);
}

/* ---- figures ---- */

static uint64_t peak_memory(const comparison_results *results, size_t arm) {
    uint64_t peak = 0;
    for (size_t s = 0; s < results->about.seed_count; s++) {
        const run_record *record = &run_of(results, arm, s)->record;
        if (record->state == RUN_FINISHED && record->peak_memory_kib > peak)
            peak = record->peak_memory_kib;
    }
    return peak;
}

/* A range where the runs differ, as they do when some stop early. */
static void write_images(FILE *out, const comparison_results *results, size_t arm) {
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t s = 0; s < results->about.seed_count; s++) {
        const comparison_run *run = run_of(results, arm, s);
        if (run->record.state != RUN_FINISHED)
            continue;
        least = run->log.images < least ? run->log.images : least;
        most = run->log.images > most ? run->log.images : most;
    }
    if (most == 0)
        fputs(NONE, out);
    else if (least == most)
        fprintf(out, "%" PRIu64, most);
    else
        fprintf(out, "%" PRIu64 " to %" PRIu64, least, most);
}

static void write_figures_row(FILE *out, const comparison_results *results, size_t arm) {
    sample_summary last = summarise_arm(results, arm, LAST_TOP1);
    fputs("| ", out);
    write_markdown(out, arm_name(results, arm));
    fprintf(out, " | %zu of %zu | ", last.count, results->about.seed_count);
    write_images(out, results, arm);
    fputs(" | ", out);
    write_spread(out, last, 2);
    fputs(" | ", out);
    write_spread(out, summarise_arm(results, arm, BEST_TOP1), 2);
    fputs(" | ", out);
    write_spread(out, summarise_arm(results, arm, LAST_TOPK), 2);
    fputs(" | ", out);
    write_spread(out, summarise_arm(results, arm, LAST_CE), 4);
    fputs(" | ", out);
    write_rate(out, summarise_arm(results, arm, IMAGES_PER_SECOND).mean);
    fputs(" | ", out);
    write_rate(out, summarise_arm(results, arm, STEP_SECONDS).mean);
    if (last.count > 0)
        fprintf(out, " | %.0f |\n", (double)peak_memory(results, arm) / 1024);
    else
        fprintf(out, " | %s |\n", NONE);
}

static void write_figures(FILE *out, const comparison_results *results) {
    fprintf(out,
            "\n## Accuracy and cost\n\n"
            "| arm | seeds finished | images processed per run | top-1 %%, last epoch | "
            "top-1 %%, best epoch | top-%" PRIu64 " %%, last epoch | CE, last epoch | images/s | "
            "s per step | peak MiB |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
            results->about.topk);
    for (size_t a = 0; a < results->about.arm_count; a++)
        write_figures_row(out, results, a);
    fputs("\nMean ± standard deviation (n - 1) over the seeds; one seed has no deviation. All on "
          "the validation list, \"last epoch\" at the run's last validation. **The best epoch is "
          "picked on the validation list itself, so that column is optimistic**: the last epoch is "
          "what to go by. ",
          out);
    if (results->about.protocol == EQUAL_UPDATES_2N)
        fputs(UNEQUAL_CHOICE_WORDS, out);
    fputs("images/s and s per step are medians over a run's iterations, then means over the seeds; "
          "images/s includes waiting for the loader, s per step is forward, backward and update "
          "alone. Peak memory is that of the largest run.\n",
          out);
}

/* ---- differences ---- */

/* `arm` minus `other`, over the seeds finished in both and in `third`. */
typedef struct {
    const char *label; /* NULL in a table without names for the rows */
    size_t arm, other, third;
} difference_row;

static paired_difference last_difference(const comparison_results *results,
                                         const difference_row *row) {
    return compare_arms(results, row->arm, row->other, row->third, LAST_TOP1);
}

static void write_pair(FILE *out, const comparison_results *results, const difference_row *row) {
    write_markdown(out, arm_name(results, row->arm));
    fputs(" minus ", out);
    write_markdown(out, arm_name(results, row->other));
}

static void write_difference_row(FILE *out, const comparison_results *results,
                                 const difference_row *row) {
    paired_difference last = last_difference(results, row);
    fputs("| ", out);
    if (row->label)
        fprintf(out, "%s: ", row->label);
    write_pair(out, results, row);
    fprintf(out, " | %zu | ", last.pairs);
    write_difference(out, last);
    fputs(" | ", out);
    write_difference(out, compare_arms(results, row->arm, row->other, row->third, BEST_TOP1));
    fputs(" |\n", out);
}

/* Which arm the interval speaks for, and by how much. */
static void write_winner(FILE *out, const comparison_results *results, const difference_row *row,
                         paired_difference d) {
    bool above = d.low > 0;
    fprintf(out, "the interval lies %s 0: ", above ? "above" : "below");
    write_markdown(out, arm_name(results, above ? row->arm : row->other));
    fprintf(out, " has the higher top-1, by %.2f to %.2f percentage points",
            round_percent(above ? d.low : -d.high), round_percent(above ? d.high : -d.low));
}

static void write_reading(FILE *out, const comparison_results *results, const difference_row *row) {
    paired_difference d = last_difference(results, row);
    if (d.pairs == 0)
        fputs("no seed is finished in all of these arms", out);
    else if (!has_interval(d))
        fputs("one pair has no spread to judge by, so there is no interval, and this says nothing "
              "about chance",
              out);
    else if (d.low <= 0 && d.high >= 0)
        fputs("the interval contains 0: this comparison does not show a difference", out);
    else
        write_winner(out, results, row, d);
}

static void write_differences(FILE *out, const comparison_results *results,
                              const difference_row *rows, size_t count) {
    fputs("| difference | pairs | top-1, last epoch | top-1, best epoch |\n"
          "| --- | --- | --- | --- |\n",
          out);
    for (size_t i = 0; i < count; i++)
        write_difference_row(out, results, &rows[i]);
    fputs("\nRead for the last epoch:\n\n", out);
    for (size_t i = 0; i < count; i++) {
        fputs("- ", out);
        if (rows[i].label)
            fprintf(out, "%s, ", rows[i].label);
        write_pair(out, results, &rows[i]);
        fputs(": ", out);
        write_reading(out, results, &rows[i]);
        fputs(".\n", out);
    }
}

static void write_baseline_differences(FILE *out, const comparison_results *results) {
    size_t baseline = results->about.baseline, count = 0;
    difference_row *rows = allocate(results->about.arm_count, sizeof *rows);
    for (size_t a = 0; a < results->about.arm_count; a++)
        if (a != baseline)
            rows[count++] = (difference_row){NULL, a, baseline, baseline};
    if (count > 0) {
        fputs("\n## Differences to ", out);
        write_markdown(out, arm_name(results, baseline));
        fputs(
            "\n\nIn percentage points, paired by seed over the seeds finished in both: mean (95 % "
            "confidence interval by Student's t, which takes the differences for roughly normal; "
            "not corrected for the number of rows).\n\n",
            out);
        write_differences(out, results, rows, count);
    }
    free(rows);
}

/* What the sampling does and what the distillation does, for one DLB arm and its control. */
static void write_split(FILE *out, const comparison_results *results, size_t control) {
    size_t dlb = results->about.arms[control].parent, baseline = results->about.baseline;
    difference_row rows[] = {{"sampling", control, baseline, dlb},
                             {"distillation", dlb, control, baseline},
                             {"total", dlb, baseline, control}};
    fputs("\n## Where the difference of ", out);
    write_markdown(out, arm_name(results, dlb));
    fputs(" comes from\n\n", out);
    write_markdown(out, arm_name(results, control));
    fputs(" has the same cfg with alpha=0: images are repeated, but nothing is distilled. ", out);
    if (dlb == baseline) {
        fputs("The first cfg has DLB itself, so only the distillation can be told.\n\n", out);
        write_differences(out, results, rows + 1, 1);
    } else {
        fputs("Sampling and distillation add up to the total, over the seeds finished in all three "
              "arms.\n\n",
              out);
        write_differences(out, results, rows, 3);
    }
}

static void write_splits(FILE *out, const comparison_results *results) {
    for (size_t a = 0; a < results->about.arm_count; a++)
        if (results->about.arms[a].role == CONTROL_ARM)
            write_split(out, results, a);
}

/* ---- charts ---- */

static void write_charts(FILE *out, charts_outcome charts) {
    fputs("\n## Charts\n\n", out);
    switch (charts) {
    case CHARTS_DRAWN:
        fputs("![Validation error over images processed](" CHARTS_FOLDER "/" ERROR_CHART ".png)\n\n"
              "![Training loss over images processed](" CHARTS_FOLDER "/" LOSS_CHART ".png)\n\n"
              "Lines are means over the finished seeds, as far as all of an arm's runs reach; the "
              "band goes from the lowest to the highest seed. CE and LB are means over the "
              "iterations since the validation before. The same as SVG, the numbers and gnuplot's "
              "scripts are in `" CHARTS_FOLDER "/`.\n",
              out);
        break;
    case CHARTS_NO_GNUPLOT:
        fputs("Charts need gnuplot, which is not installed here (Debian, Ubuntu: gnuplot-nox). "
              "Install it and run `darknet dlb report` again.\n",
              out);
        break;
    case CHARTS_FAILED:
        fputs("gnuplot failed, so there are no charts; its scripts are in `" CHARTS_FOLDER "/`.\n",
              out);
        break;
    case CHARTS_NOTHING_FINISHED:
        fputs("No run is finished, so there are no charts.\n", out);
    }
}

/* ---- runs ---- */

static void write_run_name(FILE *out, const comparison_results *results, size_t arm, size_t seed) {
    write_markdown(out, arm_name(results, arm));
    fprintf(out, ", seed %" PRIu64, results->about.seeds[seed]);
}

static void write_unfinished(FILE *out, const comparison_results *results) {
    const comparison *about = &results->about;
    fputs("\n## Runs that are missing or failed\n\n", out);
    if (results->finished == about->arm_count * about->seed_count)
        fputs("None.\n", out);
    for (size_t a = 0; a < about->arm_count; a++)
        for (size_t s = 0; s < about->seed_count; s++) {
            const run_record *record = &run_of(results, a, s)->record;
            if (record->state == RUN_FINISHED)
                continue;
            fputs("- ", out);
            write_run_name(out, results, a, s);
            if (record->state == RUN_MISSING) {
                fputs(": missing, not finished yet.\n", out);
                continue;
            }
            fprintf(out, ": failed with status %" PRIu64 ": ", record->status);
            write_markdown(out, record->error);
            fputs("\n", out);
        }
}

static void write_runs_table(FILE *out, const comparison_results *results) {
    fputs("| run | started | seconds | threads |\n| --- | --- | --- | --- |\n", out);
    for (size_t a = 0; a < results->about.arm_count; a++)
        for (size_t s = 0; s < results->about.seed_count; s++) {
            const run_record *record = &run_of(results, a, s)->record;
            if (record->state == RUN_MISSING)
                continue;
            fputs("| ", out);
            write_run_name(out, results, a, s);
            fputs(record->state == RUN_FAILED ? " (failed) | " : " | ", out);
            write_markdown(out, record->started);
            fprintf(out, " | %.1f | %" PRIu64 " |\n", record->seconds, record->threads);
        }
}

static void write_redo(FILE *out, const comparison_results *results) {
    const comparison *about = &results->about;
    size_t runs = about->arm_count * about->seed_count;
    fputs("\n## How to do it again\n\nDLB for Darknet ", out);
    write_markdown(out, about->version);
    fputs(", built with ", out);
    write_markdown(out, *about->build ? about->build : "no flags");
    fputs(". The command at the top does everything; these are its runs, one by one:\n\n", out);
    const char **commands = allocate(runs, sizeof *commands);
    size_t known = 0;
    for (size_t i = 0; i < runs; i++)
        if (results->runs[i].record.command)
            commands[known++] = results->runs[i].record.command;
    if (known > 0) {
        write_code_block(out, commands, known);
        fputs("\n", out);
        write_runs_table(out, results);
    } else {
        fputs("None has been started.\n", out);
    }
    free(commands);
}

/* ---- the file ---- */

static void write_title(FILE *out, const char *folder, const comparison_results *results) {
    char *path = realpath(folder, NULL);
    char *copy = format_string("%s", path ? path : folder);
    fputs("# Comparison ", out);
    write_markdown(out, basename(copy));
    fprintf(out,
            "\n\n%zu of %zu runs are finished; all figures are of these. Written by `darknet dlb "
            "report`, version " DLB_VERSION "; the numbers behind it are in `results.csv`.\n\n",
            results->finished, results->about.arm_count * results->about.seed_count);
    free(path);
    free(copy);
}

void write_report_text(const char *folder, const comparison_results *results,
                       charts_outcome charts) {
    text_buffer text;
    open_text(&text);
    FILE *out = text.stream;
    write_title(out, folder, results);
    write_what(out, &results->about);
    if (results->finished > 0) {
        write_figures(out, results);
        write_baseline_differences(out, results);
        write_splits(out, results);
    } else {
        fputs("\n## Accuracy and cost\n\nNo run is finished, so there is nothing to report yet.\n",
              out);
    }
    write_charts(out, charts);
    write_unfinished(out, results);
    write_redo(out, results);
    char *path = format_string("%s/report.md", folder);
    write_whole_file(path, &text);
    free(path);
}
