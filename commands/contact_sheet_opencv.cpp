#include "contact_sheet.h"

#include "fail.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/highgui.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

namespace {

// NOLINTNEXTLINE(cert-err58-cpp): four numbers
const cv::Scalar PAPER(245, 245, 245), INK(30, 30, 30), PALE_INK(110, 110, 110);
const int FONT = cv::FONT_HERSHEY_SIMPLEX;
const double TITLE_SIZE = 0.55, TEXT_SIZE = 0.42;
const int SIDE_MARGIN = 12, WIDEST_TITLE = 1000;

int text_width(const std::string &text, double size) {
    int baseline;
    return cv::getTextSize(text, FONT, size, 1, &baseline).width;
}

std::string shorten(std::string text, double size, int width) {
    if (text_width(text, size) <= width)
        return text;
    while (!text.empty() && text_width(text + "...", size) > width)
        text.pop_back();
    return text + "...";
}

/* At most `width` pixels of it; y is the height of the line that the letters stand on. */
void write_text(cv::Mat &page, const std::string &text, int x, int y, double size, int width,
                const cv::Scalar &colour) {
    cv::putText(page, shorten(text, size, width), {x, y}, FONT, size, colour, 1, cv::LINE_AA);
}

/* (3, height, width) planes of RGB in 0..1 as OpenCV's 8-bit BGR. */
cv::Mat to_bytes(const float *planes, int width, int height) {
    cv::Mat image(height, width, CV_8UC3);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int k = 0; k < 3; k++) {
                float value = planes[((size_t)k * height + y) * width + x];
                image.at<cv::Vec3b>(y, x)[2 - k] = cv::saturate_cast<uchar>(value * 255);
            }
    return image;
}

void paste(cv::Mat &page, const contact_sheet &sheet, const sheet_layout &layout, int pair,
           bool below) {
    int x, y;
    find_tile(&layout, pair, below, &x, &y);
    const image_pair &images = sheet.pairs[pair];
    cv::Mat image = to_bytes(below ? images.below : images.above, sheet.width, sheet.height);
    cv::Mat tile = page(cv::Rect(x, y, layout.tile_width, layout.tile_height));
    bool shrinks = layout.tile_width < sheet.width;
    cv::resize(image, tile, tile.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_NEAREST);
}

void write_caption(cv::Mat &page, const image_pair &pair, const sheet_layout &layout, int number) {
    int x, y, width;
    find_caption(&layout, number, &x, &y, &width);
    write_text(page, pair.label, x, y + 14, TEXT_SIZE, width, INK);
    write_text(page, "id " + std::to_string(pair.id), x, y + 29, TEXT_SIZE, width, PALE_INK);
}

void write_row_words(cv::Mat &page, const sheet_layout &layout, int row) {
    int x, y;
    for (bool below : {false, true}) {
        find_row_words(&layout, row, below, &x, &y);
        write_text(page, below ? "before" : "now", x, y + layout.tile_height / 2 + 5, TEXT_SIZE,
                   layout.width, PALE_INK);
    }
}

cv::Mat draw(const contact_sheet &sheet) {
    sheet_layout layout = lay_out_sheet(sheet.width, sheet.height, sheet.count);
    int titles =
        std::max(text_width(sheet.title, TITLE_SIZE), text_width(sheet.subtitle, TEXT_SIZE));
    int width = std::max(layout.width, std::min(titles, WIDEST_TITLE) + 2 * SIDE_MARGIN);
    cv::Mat page(layout.height, width, CV_8UC3, PAPER);
    int room = width - 2 * SIDE_MARGIN;
    write_text(page, sheet.title, SIDE_MARGIN, 27, TITLE_SIZE, room, INK);
    write_text(page, sheet.subtitle, SIDE_MARGIN, 50, TEXT_SIZE, room, PALE_INK);
    for (int row = 0; row < layout.rows; row++)
        write_row_words(page, layout, row);
    for (int i = 0; i < sheet.count; i++) {
        paste(page, sheet, layout, i, false);
        paste(page, sheet, layout, i, true);
        write_caption(page, sheet.pairs[i], layout, i);
    }
    return page;
}

char *copy_reason(const std::exception &error) {
    return format_string("%s", error.what());
}

const char *extension_of(const char *path) {
    const char *name = std::strrchr(path, '/');
    const char *dot = std::strrchr(name ? name : path, '.');
    return dot ? dot : "";
}

} // namespace

extern "C" bool can_draw_sheets(void) {
    return true;
}

extern "C" bool is_writable_format(const char *path) try {
    return cv::haveImageWriter(std::string("x") + extension_of(path));
} catch (const std::exception &) {
    return false;
}

extern "C" unsigned char *encode_sheet(const contact_sheet *sheet, const char *path, size_t *size,
                                       char **reason) try {
    std::vector<uchar> encoded;
    if (!cv::imencode(extension_of(path), draw(*sheet), encoded)) {
        *reason = format_string("OpenCV cannot encode it");
        return nullptr;
    }
    *size = encoded.size();
    unsigned char *bytes = static_cast<unsigned char *>(allocate(encoded.size(), 1));
    std::copy(encoded.begin(), encoded.end(), bytes);
    return bytes;
} catch (const std::exception &error) {
    *reason = copy_reason(error);
    return nullptr;
}

extern "C" bool show_sheet_window(const contact_sheet *sheet, char **reason) try {
    const char *window = "darknet dlb show";
    cv::namedWindow(window, cv::WINDOW_NORMAL | cv::WINDOW_KEEPRATIO);
    cv::Mat page = draw(*sheet);
    cv::resizeWindow(window, page.cols, page.rows);
    cv::imshow(window, page);
    while (cv::waitKey(50) < 0 && cv::getWindowProperty(window, cv::WND_PROP_VISIBLE) > 0)
        ;
    cv::destroyAllWindows();
    return true;
} catch (const std::exception &error) {
    *reason = copy_reason(error);
    return false;
}
