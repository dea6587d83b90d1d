#include "student_t.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <exception>

extern "C" double student_t_quantile(double probability, double degrees) try {
    return boost::math::quantile(boost::math::students_t(degrees), probability);
} catch (const std::exception &) {
    return NAN; /* arguments outside their range */
}
