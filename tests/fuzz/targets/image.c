#include "fuzz_target.h"
#include "image_decode.h"

#include <stdlib.h>

/* By stb_image, which the build without OpenCV has. */
FUZZ_TARGET(image, "dlb_layer/image_decode_stb.c darknet/host/src/stb_image.h") {
    rgb_image image;
    if (decode_image_bytes(data, size, &image))
        free(image.pixels);
}
