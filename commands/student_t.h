/* Student's t distribution, by Boost.Math. */
#ifndef DLB_STUDENT_T_H
#define DLB_STUDENT_T_H

#ifdef __cplusplus
extern "C" {
#endif

/* The value that Student's t with so many degrees of freedom stays below with `probability`.
 * NAN unless degrees > 0 and 0 < probability < 1. */
double student_t_quantile(double probability, double degrees);

#ifdef __cplusplus
}
#endif

#endif
