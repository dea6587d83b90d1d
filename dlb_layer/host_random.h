/* The host's random numbers: it draws initial weights, dropout and the sizes of random=1 from the C
 * library's rand(). They come from a state that can be kept here, and are those of srand().
 *
 * For one thread at a time, as rand() is everywhere in Darknet. */
#ifndef HOST_RANDOM_H
#define HOST_RANDOM_H

enum { HOST_RANDOM_BYTES = 128 };

typedef struct {
    char bytes[HOST_RANDOM_BYTES]; /* the C library's */
} host_random;

/* As srand(seed). */
void seed_host_random(unsigned seed);

/* What the next rand() depends on. Not before seed_host_random(). */
host_random host_random_now(void);

/* Goes on where `state` was taken. Ends the program where that is none. */
void set_host_random(const host_random *state);

#endif
