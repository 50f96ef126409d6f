/*
 * walker - finds the files
 *
 *     reader --next--> walker --file or no_more--> reader
 *
 * Owns the walk (an fts). It takes one step at a time, when a reader asks, so
 * that no list of files is ever made. What it cannot hand out it names on
 * standard error: what is missing or unreadable, links that lead nowhere or
 * round in a circle, and what is neither file nor directory.
 *
 * Edges: fts holds the names of the directories on the way down to where it
 * is, all of each; a path longer than PATH_MAX cannot be opened, and is named.
 */
#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "console.h"
#include "wordcount.h"

/* Steps in one turn: directories without files must not keep a worker for long. */
enum { STEPS_A_TURN = 64 };

struct walker {
    char *const *paths;  /* still to walk */
    FTS *tree;           /* of the path before; NULL: between two */
    bool stdin_taken;    /* two readers of it would tear words apart; the second finds the end */
    struct tally *tally; /* Arc */
};

enum step {
    STEP_FILE,    /* here is a file */
    STEP_NOTHING, /* not a file, but there is more to come */
    STEP_END,
    STEP_NOMEM,
};

static const char *kind_of(mode_t mode)
{
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return "is a device";
    if (S_ISFIFO(mode))
        return "is a fifo";
    if (S_ISSOCK(mode))
        return "is a socket";
    return "is not a file";
}

/* What fts found, and stat could not: a link to nothing, or to itself. */
static void complain_of_link(struct walker *self, const FTSENT *entry)
{
    struct stat status;
    if (stat(entry->fts_accpath, &status) != 0 && errno != ENOENT)
        complain(self->tally, entry->fts_path, "%m");
    else
        complain(self->tally, entry->fts_path, "is a link to nothing");
}

static void complain_of_cycle(struct walker *self, const FTSENT *entry)
{
    /* All entries share one path, of which the ancestor's is the front. */
    TR_AUTO(char) ancestor = console_printable(entry->fts_path, entry->fts_cycle->fts_pathlen);
    complain(self->tally, entry->fts_path, "leads back to its own ancestor %s",
             ancestor != NULL ? ancestor : "");
}

static enum step hand_out(const char *path, struct file *ret_file)
{
    const size_t size = strlen(path) + 1;
    char *copy = tr_box_array_uninit(char, size);
    if (copy == NULL)
        return STEP_NOMEM;
    memcpy(copy, path, size);
    *ret_file = (struct file){ .path = copy };
    return STEP_FILE;
}

static enum step visit(struct walker *self, const FTSENT *entry, struct file *ret_file)
{
    switch (entry->fts_info) {
    case FTS_F:
        return hand_out(entry->fts_path, ret_file);
    case FTS_D:
    case FTS_DP:
        return STEP_NOTHING;
    case FTS_DC:
        complain_of_cycle(self, entry);
        return STEP_NOTHING;
    case FTS_SLNONE:
        complain_of_link(self, entry);
        return STEP_NOTHING;
    case FTS_DEFAULT:
        complain(self->tally, entry->fts_path, "%s", kind_of(entry->fts_statp->st_mode));
        return STEP_NOTHING;
    default: /* FTS_NS, FTS_DNR, FTS_ERR */
        errno = entry->fts_errno;
        complain(self->tally, entry->fts_path, "%m");
        return STEP_NOTHING;
    }
}

static enum step walk_on(struct walker *self, struct file *ret_file)
{
    errno = 0;
    const FTSENT *entry = fts_read(self->tree);
    if (entry != NULL)
        return visit(self, entry, ret_file);
    if (errno != 0)
        complain(self->tally, self->paths[-1], "%m");
    fts_close(self->tree);
    self->tree = NULL;
    return STEP_NOTHING;
}

static enum step begin_path(struct walker *self, struct file *ret_file)
{
    char *path = *self->paths;
    if (path == NULL)
        return STEP_END;
    self->paths++;
    if (strcmp(path, "-") == 0) {
        if (self->stdin_taken)
            return STEP_NOTHING;
        self->stdin_taken = true;
        *ret_file = (struct file){ .path = NULL };
        return STEP_FILE;
    }
    /* Links are followed; the working directory belongs to the whole process,
     * so it is left alone. */
    self->tree = fts_open((char *[]){ path, NULL }, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    if (self->tree == NULL)
        complain(self->tally, path, "%m");
    return STEP_NOTHING;
}

static void walker_on_next(tr_ctx *ctx, struct walker *self, struct next *m)
{
    struct file file;
    for (unsigned i = 0; i < STEPS_A_TURN; i++) {
        switch (self->tree != NULL ? walk_on(self, &file) : begin_path(self, &file)) {
        case STEP_FILE:
            must(ctx, reader_file(ctx, m->reader, file), "walker");
            return;
        case STEP_END:
            must(ctx, reader_no_more(ctx, m->reader, (struct no_more){}), "walker");
            return;
        case STEP_NOMEM:
            must(ctx, TR_NOMEM, "walker");
            return;
        case STEP_NOTHING:
            break;
        }
    }
    must(ctx, walker_next(ctx, walker_self(ctx), *m), "walker");
}

static void walker_drop(struct walker *self)
{
    if (self->tree != NULL)
        fts_close(self->tree);
    tr_drop(self->tally);
}

TR_ACTOR(walker, WALKER, .drop = walker_drop)

tr_status spawn_walker(tr_system *system, char *const *paths, struct tally *tally,
                       walker_ref *ret_walker)
{
    struct walker state = { .paths = paths, .tally = tr_arc_clone(tally) };
    const tr_status status = walker_try_spawn(system, &state, NULL, ret_walker);
    if (status != TR_OK)
        walker_drop(&state);
    return status;
}
