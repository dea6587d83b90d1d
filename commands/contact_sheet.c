#include "contact_sheet.h"

enum {
    SMALLEST_SIDE = 96,
    LARGEST_SIDE = 160,
    USUAL_WIDTH = 1600,
    MARGIN = 12,
    GAP = 10,
    PAIR_GAP = 3,
    TITLE_HEIGHT = 56,
    ROW_WORDS_WIDTH = 64,
    CAPTION_HEIGHT = 36
};

static int larger(int a, int b) {
    return a > b ? a : b;
}

static void scale_tile(sheet_layout *layout, int width, int height) {
    int longer = larger(width, height);
    if (longer > LARGEST_SIDE) {
        layout->tile_width = larger(width * LARGEST_SIDE / longer, 1);
        layout->tile_height = larger(height * LARGEST_SIDE / longer, 1);
    } else {
        int factor = (SMALLEST_SIDE + longer - 1) / longer;
        layout->tile_width = width * factor;
        layout->tile_height = height * factor;
    }
}

sheet_layout lay_out_sheet(int image_width, int image_height, int count) {
    sheet_layout layout = {0};
    scale_tile(&layout, image_width, image_height);
    layout.cell_width = larger(layout.tile_width, SMALLEST_SIDE) + GAP;
    layout.cell_height = 2 * layout.tile_height + PAIR_GAP + CAPTION_HEIGHT + GAP;
    int most = (USUAL_WIDTH - 2 * MARGIN - ROW_WORDS_WIDTH) / layout.cell_width;
    layout.rows = (count + most - 1) / most;
    layout.columns = (count + layout.rows - 1) / layout.rows;
    layout.width = 2 * MARGIN + ROW_WORDS_WIDTH + layout.columns * layout.cell_width - GAP;
    layout.height = 2 * MARGIN + TITLE_HEIGHT + layout.rows * layout.cell_height - GAP;
    return layout;
}

static int cell_x(const sheet_layout *layout, int column) {
    return MARGIN + ROW_WORDS_WIDTH + column * layout->cell_width;
}

static int cell_y(const sheet_layout *layout, int row) {
    return MARGIN + TITLE_HEIGHT + row * layout->cell_height;
}

void find_tile(const sheet_layout *layout, int pair, bool below, int *x, int *y) {
    int spare = layout->cell_width - GAP - layout->tile_width;
    *x = cell_x(layout, pair % layout->columns) + spare / 2;
    *y = cell_y(layout, pair / layout->columns) + (below ? layout->tile_height + PAIR_GAP : 0);
}

void find_caption(const sheet_layout *layout, int pair, int *x, int *y, int *width) {
    *x = cell_x(layout, pair % layout->columns);
    *y = cell_y(layout, pair / layout->columns) + 2 * layout->tile_height + PAIR_GAP;
    *width = layout->cell_width - GAP;
}

void find_row_words(const sheet_layout *layout, int row, bool below, int *x, int *y) {
    *x = MARGIN;
    *y = cell_y(layout, row) + (below ? layout->tile_height + PAIR_GAP : 0);
}
