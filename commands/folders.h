/* Paths of folders, and folders made where they are missing. Bad ones end through fail(). */
#ifndef DLB_FOLDERS_H
#define DLB_FOLDERS_H

/* realpath() that also takes folders which do not exist yet. The caller frees the result. */
char *absolute_path(const char *path);

/* Makes the folder and those above it, where they do not exist. */
void make_folder(const char *path);

/* rename() that fails with both names. */
void rename_or_fail(const char *from, const char *to);

#endif
