/* The arithmetic of one row of the DLB loss (Shen et al., CVPR 2022, equations 3 and 4).
 *
 *     p_t = softmax(teacher / T),  p_s = softmax(student / T)
 *     loss     = T^2 * sum_k p_t[k] * (log p_t[k] - log p_s[k])
 *     gradient = d loss / d student[k] = T * (p_s[k] - p_t[k]);  none reaches the teacher
 *
 * Usable from C and from CUDA. Logits are float; everything in between is double, so that any
 * finite logits are safe: the largest difference of two floats, divided by the smallest
 * positive temperature, is still far inside a double's range. */
#ifndef DLB_LOSS_H
#define DLB_LOSS_H

#include <math.h>

#ifdef __CUDACC__
#define DLB_FUNCTION static inline __host__ __device__
#else
#define DLB_FUNCTION static inline
#endif

/* glibc's exp() of several numbers at once (libmvec), for the loops under `omp simd`. Its header
 * offers it only where a compiler may round as it likes. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__CUDACC__)
__attribute__((simd("notinbranch"))) double exp(double);
#endif

/* log softmax(logits / temperature), one class at a time, without ever forming exp(logit). */
typedef struct {
    double max;           /* largest logit; subtracted for stability only */
    double log_partition; /* log sum_k exp((logits[k] - max) / temperature) */
} dlb_softmax;

DLB_FUNCTION dlb_softmax dlb_softmax_of(const float *logits, int classes, double temperature) {
    float max = -INFINITY;
    double sum = 0;
#pragma omp simd reduction(max : max)
    for (int k = 0; k < classes; k++)
        max = logits[k] > max ? logits[k] : max;
#pragma omp simd reduction(+ : sum)
    for (int k = 0; k < classes; k++)
        sum += exp(((double)logits[k] - max) / temperature);
    dlb_softmax s = {max, log(sum)};
    return s;
}

DLB_FUNCTION double dlb_log_probability(dlb_softmax s, float logit, double temperature) {
    return (logit - s.max) / temperature - s.log_partition;
}

/* Cross entropy -sum_k truth[k] * log p_s[k], for hard and for soft labels. Darknet's own takes the
 * logarithm of a rounded probability, which is infinite once that is 0. */
DLB_FUNCTION double dlb_cross_entropy(const float *logits, const float *truth, int classes,
                                      double temperature) {
    dlb_softmax s = dlb_softmax_of(logits, classes, temperature);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int k = 0; k < classes; k++)
        sum -= truth[k] * dlb_log_probability(s, logits[k], temperature);
    return sum;
}

/* One row of the consistency loss: adds -gradient * weight to `delta` and returns the loss.
 *
 * student, teacher, delta are (classes); delta is accumulated into (+=), with Darknet's sign:
 * minus the gradient. weight is what the caller's mean and alpha make of this row. */
DLB_FUNCTION double dlb_row(const float *student, const float *teacher, int classes,
                            double temperature, double weight, float *delta) {
    dlb_softmax s = dlb_softmax_of(student, classes, temperature);
    dlb_softmax t = dlb_softmax_of(teacher, classes, temperature);
    double divergence = 0;
#pragma omp simd reduction(+ : divergence)
    for (int k = 0; k < classes; k++) {
        double log_s = dlb_log_probability(s, student[k], temperature);
        double log_t = dlb_log_probability(t, teacher[k], temperature);
        double p_t = exp(log_t);
        divergence += p_t * (log_t - log_s);
        delta[k] += (float)(weight * temperature * (p_t - exp(log_s)));
    }
    return temperature * temperature * divergence;
}

#endif
