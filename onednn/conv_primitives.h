/* One convolution of a fixed shape: forward, and backward to its input and to its weights, with
 * the primitives and the library's forms of the weights kept between calls.
 *
 * Activations and their gradients are in the blocked layout (see blocked.h); the input may be
 * plain where the shape says so. Weights and their gradient are the host's, plain:
 * (out_channels, in_channels / groups, size, size). */
#ifndef ONEDNN_CONV_PRIMITIVES_H
#define ONEDNN_CONV_PRIMITIVES_H

typedef struct {
    int batch, groups;
    int in_channels, in_height, in_width;
    int out_channels, out_height, out_width;
    int size, stride, pad;
    int block;
    int plain_input;
    int with_bias; /* adds the bias and applies the activation of `slope`, see blocked.h */
    float slope;
    int first; /* training wants no gradient of the input: reference code will do for that */
    int reference_too; /* takes the library's slow reference code where there is no other */
} conv_shape;

typedef struct conv_primitives conv_primitives;

/* NULL where the library has only reference code for a pass and the shape does not take that; ends
 * the program on any other error. The caller releases it with conv_primitives_free(). */
conv_primitives *conv_primitives_create(const conv_shape *shape);
void conv_primitives_free(conv_primitives *conv); /* NULL is ignored */

/* output = conv(input, weights), plus bias and activation where the shape says so. */
void conv_forward(conv_primitives *conv, const float *input, const float *weights,
                  const float *bias, float *output);

/* weight_updates += gradient of the weights for `delta`, the gradient of the output. */
void conv_backward_weights(conv_primitives *conv, const float *input, const float *delta,
                           float *weight_updates);

/* input_delta = gradient of the input, always blocked; overwritten. Uses `weights`. */
void conv_backward_data(conv_primitives *conv, const float *weights, const float *delta,
                        float *input_delta);

#endif
