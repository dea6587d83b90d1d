#include "image_decode.h"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

extern "C" bool decode_image_bytes(const unsigned char *data, size_t size, rgb_image *image) try {
    if (size > INT_MAX)
        return false;
    cv::Mat bytes(1, static_cast<int>(size), CV_8UC1, const_cast<unsigned char *>(data));
    cv::Mat bgr = cv::imdecode(bytes, cv::IMREAD_COLOR);
    if (bgr.empty())
        return false;
    unsigned char *pixels = static_cast<unsigned char *>(std::malloc(bgr.total() * 3));
    if (!pixels)
        return false;
    cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, pixels);
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    *image = rgb_image{bgr.cols, bgr.rows, pixels};
    return true;
} catch (const cv::Exception &) {
    return false; /* a header that claims absurd sizes, for instance */
}
