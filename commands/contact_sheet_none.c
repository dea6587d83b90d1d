/* Stands in for contact_sheet_opencv.cpp where the build has OPENCV=0. */
#include "contact_sheet.h"

#include <assert.h>

bool can_draw_sheets(void) {
    return false;
}

bool is_writable_format(const char *path) {
    (void)path;
    return false;
}

unsigned char *encode_sheet(const contact_sheet *sheet, const char *path, size_t *size,
                            char **reason) {
    (void)sheet, (void)path, (void)size, (void)reason;
    assert(!"drawing without OpenCV");
    return NULL;
}

bool show_sheet_window(const contact_sheet *sheet, char **reason) {
    (void)sheet, (void)reason;
    assert(!"drawing without OpenCV");
    return false;
}
