/* Numbers of 16 bits: float16 (IEEE 754 binary16: 5 bits of exponent, 10 of fraction) and bfloat16
 * (8 and 7, float32's upper half). Rounded to nearest, ties to even; NaN stays NaN; what is too
 * large becomes infinite. For C and for CUDA, the same lines, so that tests on the CPU run what a
 * card runs; they need no type that a compiler may lack. */
#ifndef HALF_FLOAT_H
#define HALF_FLOAT_H

#include "dlb_loss.h" /* DLB_FUNCTION */

#include <stdint.h>
#include <string.h>

/* The values of half= of [net], as net->half and layer.half have them. */
typedef enum { HALF_NONE, HALF_FLOAT16, HALF_BFLOAT16 } half_type;

DLB_FUNCTION uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

DLB_FUNCTION float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Neither NaN nor infinite. */
DLB_FUNCTION int float_is_finite(float value) {
    return (float_bits(value) & 0x7f800000) != 0x7f800000;
}

/* ---- float16 ---- */

DLB_FUNCTION uint16_t float16_of(float value) {
    uint32_t bits = float_bits(value), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000)
        return (uint16_t)(sign | 0x7e00); /* NaN */
    if (size >= 0x47800000)
        return (uint16_t)(sign | 0x7c00); /* 2^16 and more */
    if (size < 0x38800000) { /* less than 2^-14: a multiple of 2^-24, which floats at .5 are, too */
        float rounded = float_of_bits(size) + .5f;
        return (uint16_t)(sign | (float_bits(rounded) - 0x3f000000));
    }
    size += 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | (size - 0x38000000) >> 13); /* the exponent's bias: 127 - 15 */
}

DLB_FUNCTION float float_of_float16(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, size = half & 0x7fff;
    if (size >= 0x7c00)
        return float_of_bits(sign | 0x7f800000 | (size & 0x3ff) << 13);
    if (size < 0x400) {
        float value = (float)size * 0x1p-24f;
        return sign ? -value : value;
    }
    return float_of_bits(sign | ((size << 13) + 0x38000000));
}

/* ---- bfloat16 ---- */

DLB_FUNCTION uint16_t bfloat16_of(float value) {
    uint32_t bits = float_bits(value);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40); /* NaN whatever its lower bits were */
    bits += 0x7fff + (bits >> 16 & 1);
    return (uint16_t)(bits >> 16);
}

DLB_FUNCTION float float_of_bfloat16(uint16_t half) {
    return float_of_bits((uint32_t)half << 16);
}

/* ---- either ---- */

DLB_FUNCTION uint16_t half_of(float value, half_type type) {
    return type == HALF_FLOAT16 ? float16_of(value) : bfloat16_of(value);
}

DLB_FUNCTION float float_of_half(uint16_t half, half_type type) {
    return type == HALF_FLOAT16 ? float_of_float16(half) : float_of_bfloat16(half);
}

#endif
