/* The arithmetic of one row of the DLB loss (Shen et al., CVPR 2022, equations 3 and 4).
 *
 *     p_t = softmax(teacher / T),  p_s = softmax(student / T)
 *     loss     = T^2 * sum_k p_t[k] * (log p_t[k] - log p_s[k])
 *     gradient = d loss / d student[k] = T * (p_s[k] - p_t[k]);  none reaches the teacher
 *
 * Usable from C and from CUDA. What is computed for one class is a function of its own; C adds it
 * up over the classes in the loops below, CUDA over the threads of a block (dlb_block.h). Logits
 * are float; everything in between is double, so that any finite logits are safe: the largest
 * difference of two floats, divided by the smallest positive temperature, is still far inside a
 * double's range. */
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

/* ---- of one class ---- */

/* exp((logit - max) / temperature), whose sum over the classes is the partition. */
DLB_FUNCTION double dlb_share(float logit, float max, double temperature) {
    return exp(((double)logit - max) / temperature);
}

DLB_FUNCTION double dlb_log_probability(dlb_softmax s, float logit, double temperature) {
    return (logit - s.max) / temperature - s.log_partition;
}

/* truth * log p_s, minus whose sum over the classes is the cross entropy. */
DLB_FUNCTION double dlb_likelihood(dlb_softmax s, float logit, float truth, double temperature) {
    return truth * dlb_log_probability(s, logit, temperature);
}

/* The class's part of KL(p_t || p_s); *step becomes minus its gradient times weight, as
 * dlb_row() adds it. */
DLB_FUNCTION double dlb_divergence(dlb_softmax s, dlb_softmax t, float student, float teacher,
                                   double temperature, double weight, float *step) {
    double log_s = dlb_log_probability(s, student, temperature);
    double log_t = dlb_log_probability(t, teacher, temperature);
    double p_t = exp(log_t);
    *step = (float)(weight * temperature * (p_t - exp(log_s)));
    return p_t * (log_t - log_s);
}

/* ---- of a row ---- */

DLB_FUNCTION dlb_softmax dlb_softmax_of(const float *logits, int classes, double temperature) {
    float max = -INFINITY;
    double sum = 0;
#pragma omp simd reduction(max : max)
    for (int k = 0; k < classes; k++)
        max = logits[k] > max ? logits[k] : max;
#pragma omp simd reduction(+ : sum)
    for (int k = 0; k < classes; k++)
        sum += dlb_share(logits[k], max, temperature);
    dlb_softmax s = {max, log(sum)};
    return s;
}

/* Cross entropy -sum_k truth[k] * log p_s[k], for hard and for soft labels. Darknet's own takes the
 * logarithm of a rounded probability, which is infinite once that is 0. */
DLB_FUNCTION double dlb_cross_entropy(const float *logits, const float *truth, int classes,
                                      double temperature) {
    dlb_softmax s = dlb_softmax_of(logits, classes, temperature);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int k = 0; k < classes; k++)
        sum -= dlb_likelihood(s, logits[k], truth[k], temperature);
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
        float step;
        divergence += dlb_divergence(s, t, student[k], teacher[k], temperature, weight, &step);
        delta[k] += step;
    }
    return temperature * temperature * divergence;
}

#endif
