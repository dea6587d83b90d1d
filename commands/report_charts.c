#include "report_charts.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chart_curves.h"
#include "display_text.h"
#include "fail.h"
#include "run_gnuplot.h"
#include "whole_file.h"

/* One set of axes. */
typedef struct {
    const char *y_label;
    curve *curves; /* (arms), owned */
} panel;

/* One picture; its panels stand above one another. */
typedef struct {
    const char *name, *title; /* what the title says of the seeds is added */
    size_t panel_count;
    panel panels[2];
} chart;

static const char *const KINDS[] = {"png", "svg"};
enum { KIND_COUNT = 2 };

/* Okabe and Ito's colours, which colour-blind people can tell apart, without the yellow. */
static const char *const COLOURS[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000"};
/* gnuplot's numbers of filled symbols. */
static const int SYMBOLS[] = {5, 7, 9, 13, 11, 15};
enum { COLOUR_COUNT = 7, SYMBOL_COUNT = 6 };

static const char SCRIPT_HEAD[] =
    "# Draws %s.png from %s.dat: gnuplot %s.gp\n"
    "# As SVG: gnuplot -e \"kind='svg'\" %s.gp\n"
    "if (!exists('kind')) kind = 'png'\n"
    "if (!exists('picture')) picture = '%s.' . kind\n"
    "set encoding utf8\n"
    "if (kind eq 'svg') set terminal svg size 900,%d noenhanced font 'sans-serif,14' "
    "background '#ffffff'\n"
    "if (kind eq 'png') set terminal pngcairo size 1200,%d noenhanced font 'sans-serif,13' "
    "linewidth 1.4\n"
    "set output picture\n"
    "set key outside above left Left reverse\n"
    "set lmargin 11\n"
    "set rmargin 4\n"
    "set border 3\n"
    "set tics nomirror out\n"
    "set grid linecolor rgb '#dddddd' linetype 1\n";

/* ---- names of files ---- */

static char *file_path(const char *folder, const char *chart_name, const char *ending) {
    return format_string("%s/" CHARTS_FOLDER "/%s.%s", folder, chart_name, ending);
}

static void make_charts_folder(const char *folder) {
    char *path = format_string("%s/" CHARTS_FOLDER, folder);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        fail("cannot make the folder %s: %s", path, strerror(errno));
    free(path);
}

static void remove_pictures(const char *folder) {
    static const char *const names[] = {ERROR_CHART, LOSS_CHART};
    for (int n = 0; n < 2; n++)
        for (int k = 0; k < KIND_COUNT; k++) {
            char *path = file_path(folder, names[n], KINDS[k]);
            if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
                fail("cannot remove %s: %s", path, strerror(errno));
            free(path);
        }
}

/* ---- numbers ---- */

static panel make_panel(const comparison_results *results, curve_value what, const char *y_label) {
    panel p = {y_label, allocate(results->about.arm_count, sizeof *p.curves)};
    for (size_t a = 0; a < results->about.arm_count; a++)
        p.curves[a] = average_runs(results, a, what);
    return p;
}

static void free_panels(chart *c, size_t arms) {
    for (size_t p = 0; p < c->panel_count; p++) {
        for (size_t a = 0; a < arms; a++)
            free_curve(&c->panels[p].curves[a]);
        free(c->panels[p].curves);
    }
}

static bool is_empty(const panel *p, size_t arms) {
    for (size_t a = 0; a < arms; a++)
        if (p->curves[a].count > 0)
            return false;
    return true;
}

static double most_images(const chart *c, size_t arms) {
    double most = 0;
    for (size_t p = 0; p < c->panel_count; p++)
        for (size_t a = 0; a < arms; a++) {
            const curve *line = &c->panels[p].curves[a];
            if (line->count > 0)
                most = fmax(most, line->points[line->count - 1].images);
        }
    return most;
}

/* What diverged has no place on an axis. */
static void write_point(FILE *stream, const curve_point *point) {
    if (isfinite(point->mean))
        fprintf(stream, "%.0f %.9g %.9g %.9g\n", point->images, point->mean, point->low,
                point->high);
    else
        fprintf(stream, "%.0f NaN NaN NaN\n", point->images);
}

static void write_data(const char *folder, const chart *c, const comparison *about) {
    text_buffer text;
    open_text(&text);
    fprintf(text.stream, "# images processed, mean, lowest and highest of the runs\n");
    for (size_t p = 0; p < c->panel_count; p++)
        for (size_t a = 0; a < about->arm_count; a++) {
            const curve *line = &c->panels[p].curves[a];
            char *name = printable(about->arms[a].name);
            if (line->count > 0) // NOLINT(clang-analyzer-core.NullDereference): one an arm
                fprintf(text.stream, "\n\n# %s: %s, runs: %zu\n", c->panels[p].y_label, name,
                        line->runs);
            for (size_t i = 0; i < line->count; i++)
                write_point(text.stream, &line->points[i]);
            free(name);
        }
    char *path = file_path(folder, c->name, "dat");
    write_whole_file(path, &text);
    free(path);
}

/* ---- gnuplot's script ---- */

/* In single quotes nothing but the quote itself means anything to gnuplot. */
static void write_quoted(FILE *stream, const char *text) {
    char *shown = printable(text);
    fputc('\'', stream);
    for (const char *c = shown; *c; c++) {
        if (*c == '\'')
            fputc('\'', stream);
        fputc(*c, stream);
    }
    fputc('\'', stream);
    free(shown);
}

static void write_separator(FILE *stream, bool *first) {
    fputs(*first ? "plot \\\n    " : ", \\\n    ", stream);
    *first = false;
}

/* Axes with nothing in them: gnuplot refuses to find a range for no values. */
static void write_empty_plot(FILE *stream) {
    fputs("set xrange [0:1]\nset yrange [0:1]\nplot NaN notitle\n", stream);
}

/* The bands go below all lines. `index` is the number of the panel's first block of data. */
static void write_plot(FILE *stream, const chart *c, const panel *p, const comparison *about,
                       double unit, size_t index) {
    bool first = true;
    size_t i = index;
    fputs("set xrange [0:*]\n", stream);
    for (size_t a = 0; a < about->arm_count; a++) {
        i += a > 0 && p->curves[a - 1].count > 0;
        if (p->curves[a].runs < 2 || p->curves[a].count == 0)
            continue;
        write_separator(stream, &first);
        fprintf(stream,
                "'%s.dat' index %zu using ($1/%g):3:4 with filledcurves fillcolor rgb '%s' "
                "fillstyle transparent solid 0.18 noborder notitle",
                c->name, i, unit, COLOURS[a % COLOUR_COUNT]);
    }
    i = index;
    for (size_t a = 0; a < about->arm_count; a++) {
        if (p->curves[a].count == 0)
            continue;
        write_separator(stream, &first);
        fprintf(stream,
                "'%s.dat' index %zu using ($1/%g):2 with linespoints linecolor rgb '%s' "
                "linewidth 1.8 dashtype %zu pointtype %d pointsize 0.7 pointinterval %zu title ",
                c->name, i++, unit, COLOURS[a % COLOUR_COUNT], a / COLOUR_COUNT + 1,
                SYMBOLS[a % SYMBOL_COUNT], p->curves[a].count / 25 + 1);
        write_quoted(stream, about->arms[a].name);
    }
    fputs("\n", stream);
}

static size_t count_lines(const panel *p, size_t arms) {
    size_t lines = 0;
    for (size_t a = 0; a < arms; a++)
        lines += p->curves[a].count > 0;
    return lines;
}

/* The least and greatest value of all bands. */
static void find_range(const panel *p, size_t arms, double *low, double *high) {
    *low = INFINITY, *high = 0;
    for (size_t a = 0; a < arms; a++)
        for (size_t i = 0; i < p->curves[a].count; i++) {
            const curve_point *point = &p->curves[a].points[i];
            if (!isfinite(point->mean))
                continue;
            *low = fmin(*low, point->low);
            *high = fmax(*high, point->high);
        }
}

/* gnuplot itself marks decades only, which may be none at all. */
static void write_logarithmic_tics(FILE *stream, double low, double high) {
    static const double close[] = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8}, far[] = {1, 2, 5};
    bool many = high > 50 * low;
    const double *steps = many ? far : close;
    size_t count = many ? sizeof far / sizeof *far : sizeof close / sizeof *close;
    const char *comma = "";
    fputs("set ytics (", stream);
    for (double decade = pow(10, floor(log10(low))); decade <= high; decade *= 10)
        for (size_t i = 0; i < count; i++) {
            double tic = steps[i] * decade;
            if (tic < low || tic > high)
                continue;
            fprintf(stream, "%s%.9g", comma, tic);
            comma = ", ";
        }
    fputs(")\n", stream);
}

/* Where values differ by more than twice, a logarithmic axis leaves room to tell the ends of the
 * lines apart. */
static void write_y_axis(FILE *stream, const panel *p, size_t arms) {
    double low, high;
    find_range(p, arms, &low, &high);
    if (low <= 0 || high < 2 * low) {
        fprintf(stream, "unset logscale y\nset yrange [*:*]\nset ytics auto\nset ylabel '%s'\n",
                p->y_label);
        return;
    }
    low /= 1.1, high *= 1.1;
    fprintf(stream, "set logscale y\nset yrange [%.9g:%.9g]\nset ylabel '%s (logarithmic)'\n", low,
            high, p->y_label);
    write_logarithmic_tics(stream, low, high);
}

static bool has_bands(const chart *c, size_t arms) {
    for (size_t a = 0; a < arms; a++)
        if (c->panels[0].curves[a].runs > 1)
            return true;
    return false;
}

static void write_title(FILE *stream, const chart *c, size_t arms) {
    const char *seeds =
        has_bands(c, arms) ? "mean over the seeds; band: lowest to highest" : "one seed";
    if (c->panel_count > 1)
        fprintf(stream, "set multiplot layout %zu,1\n", c->panel_count);
    fprintf(stream, "set title '%s: %s'\n", c->title, seeds);
}

static void write_script(const char *folder, const chart *c, const comparison *about) {
    double most = most_images(c, about->arm_count);
    double unit = most >= 2e6 ? 1e6 : most >= 2e3 ? 1e3 : 1;
    const char *unit_name = unit == 1e6 ? ", in millions" : unit == 1e3 ? ", in thousands" : "";
    int height = c->panel_count == 1 ? 600 : 900;
    text_buffer text;
    open_text(&text);
    fprintf(text.stream, SCRIPT_HEAD, c->name, c->name, c->name, c->name, c->name, height * 9 / 10,
            height * 6 / 5);
    write_title(text.stream, c, about->arm_count);
    for (size_t p = 0, index = 0; p < c->panel_count; p++) {
        if (p > 0)
            fputs("unset key\nunset title\n", text.stream); /* the first panel names all arms */
        write_y_axis(text.stream, &c->panels[p], about->arm_count);
        fprintf(text.stream, "set xlabel 'images processed%s (a revisit counts)'\n", unit_name);
        if (is_empty(&c->panels[p], about->arm_count))
            write_empty_plot(text.stream);
        else
            write_plot(text.stream, c, &c->panels[p], about, unit, index);
        index += count_lines(&c->panels[p], about->arm_count);
    }
    fprintf(text.stream, "%sset output\n", c->panel_count > 1 ? "unset multiplot\n" : "");
    char *path = file_path(folder, c->name, "gp");
    write_whole_file(path, &text);
    free(path);
}

/* ---- drawing ---- */

/* The picture appears only when gnuplot is through with it. */
static gnuplot_outcome draw_kind(const char *folder, const char *name, const char *kind) {
    char *charts = format_string("%s/" CHARTS_FOLDER, folder);
    char *script = format_string("%s.gp", name);
    char *settings = format_string("kind='%s'; picture='%s.%s.tmp'", kind, name, kind);
    char *path = file_path(folder, name, kind);
    char *aside = format_string("%s.tmp", path);
    gnuplot_outcome outcome = run_gnuplot(charts, settings, script);
    if (outcome != GNUPLOT_DONE)
        unlink(aside);
    else if (rename(aside, path) != 0)
        fail("cannot rename %s to %s: %s", aside, path, strerror(errno));
    free(charts);
    free(script);
    free(settings);
    free(path);
    free(aside);
    return outcome;
}

static gnuplot_outcome draw_chart(const char *folder, const chart *c, const comparison *about) {
    gnuplot_outcome outcome = GNUPLOT_DONE;
    write_data(folder, c, about);
    write_script(folder, c, about);
    for (int k = 0; k < KIND_COUNT && outcome == GNUPLOT_DONE; k++)
        outcome = draw_kind(folder, c->name, KINDS[k]);
    return outcome;
}

static gnuplot_outcome draw_errors(const char *folder, const comparison_results *results) {
    chart c = {ERROR_CHART,
               "Validation error",
               1,
               {make_panel(results, VALID_ERROR, "top-1 error on the validation list, %")}};
    gnuplot_outcome outcome = draw_chart(folder, &c, &results->about);
    free_panels(&c, results->about.arm_count);
    return outcome;
}

static gnuplot_outcome draw_losses(const char *folder, const comparison_results *results) {
    chart c = {LOSS_CHART,
               "Training loss, mean since the validation before",
               2,
               {make_panel(results, TRAIN_CE, "CE, nats per image"),
                make_panel(results, TRAIN_LB, "LB, nats per revisited image")}};
    size_t arms = results->about.arm_count;
    chart without_lb = c;
    without_lb.panel_count = 1;
    gnuplot_outcome outcome =
        draw_chart(folder, is_empty(&c.panels[1], arms) ? &without_lb : &c, &results->about);
    free_panels(&c, arms);
    return outcome;
}

charts_outcome draw_charts(const char *folder, const comparison_results *results) {
    remove_pictures(folder);
    if (results->finished == 0)
        return CHARTS_NOTHING_FINISHED;
    make_charts_folder(folder);
    gnuplot_outcome errors = draw_errors(folder, results);
    gnuplot_outcome losses = draw_losses(folder, results);
    if (errors == GNUPLOT_MISSING || losses == GNUPLOT_MISSING)
        return CHARTS_NO_GNUPLOT;
    return errors == GNUPLOT_DONE && losses == GNUPLOT_DONE ? CHARTS_DRAWN : CHARTS_FAILED;
}
