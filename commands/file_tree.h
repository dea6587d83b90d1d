/* The files of an archive or below a folder, one after the other, read alike.
 *
 * An archive is a tar file, plain or compressed with gzip, or a zip file, told apart by what is in
 * it; libarchive reads it as a stream. Damage ends the program through fail(): an archive that is
 * none, ends early, or fails the check of gzip or zip; so does an entry whose name is absolute or
 * leads out by "..", or that is a link or anything else than a file or folder. In a folder,
 * symbolic links are followed. */
#ifndef DLB_FILE_TREE_H
#define DLB_FILE_TREE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct file_tree file_tree;

/* `src` is the archive or the folder. Close it with close_file_tree(). One thread. */
file_tree *open_file_tree(const char *src);

/* The next file's name relative to the top, owned by the tree and good until the next call; NULL
 * after the last one, when the archive's end has been checked too. A folder's files come sorted,
 * an archive's as they lie in it. */
const char *next_file(file_tree *tree);

/* The bytes of the file that next_file() named, read once at most; *size of them and a zero after
 * them, which the caller frees. */
char *read_tree_file(file_tree *tree, size_t *size);

/* Whether the files are inside an archive. */
bool is_in_archive(const file_tree *tree);

/* Size in bytes of the file that next_file() named; only in a folder. */
size_t folder_file_size(const file_tree *tree);

void close_file_tree(file_tree *tree);

#endif
