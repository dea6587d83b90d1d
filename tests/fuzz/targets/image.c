#include "fuzz_target.h"
#include "image_claim.h"
#include "image_decode.h"

#include <stdlib.h>

/* By stb_image, which the build without OpenCV has; not what is refused before it is decoded. */
FUZZ_TARGET(image, "dlb_layer/image_claim.c dlb_layer/image_decode_stb.c "
                   "darknet/host/src/stb_image.h") {
    rgb_image image;
    char *absurd = find_absurd_size(data, size);
    if (!absurd && decode_image_bytes(data, size, &image))
        free(image.pixels);
    free(absurd);
}
