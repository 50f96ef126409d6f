/*
 * channel - two threads send, main receives until there is nobody left to send
 *
 *     thread 1 --.
 *     thread 2 ----> [ text ] --> main
 *
 * The loop ends when the last sender is gone, main's own one included: kept open over
 * the loop, as is easily done, it would make the loop wait for ever.
 */
#include <stdio.h>
#include <troupe/channels/channel.h>
#include <troupe/channels/thread.h>
#include <troupe/mem/box.h>
#include <troupe/mem/string.h>

typedef struct letter {
    int from;
    tr_string text;
} letter;

static void letter_drop(letter *l)
{
    tr_string_drop(&l->text);
}

TR_TYPE(letter, .drop = letter_drop)
TR_CHANNEL(letters, letter)

typedef struct writer {
    int number;
    letters_sender tx;
} writer;

static void writer_drop(writer *w)
{
    letters_sender_drop(&w->tx);
}

TR_TYPE(writer, .drop = writer_drop)

static void *write_one(void *arg)
{
    TR_AUTO(writer) self = arg;
    letter l = { .from = self->number };
    tr_string_printf(&l.text, "message from thread %d", self->number);
    if (letters_send(self->tx, &l) != TR_OK)
        letter_drop(&l); /* there is no receiver: the letter is still ours */
    return NULL;
}

int main(void)
{
    letters_sender tx;
    letters_receiver rx;
    TR_MUST(letters_unbounded(&tx, &rx));
    tr_thread *threads[2];
    for (int i = 0; i < 2; i++) {
        writer *w = tr_box(writer, .number = i + 1, .tx = letters_sender_clone(tx));
        TR_MUST(tr_thread_spawn(write_one, w, &threads[i]));
    }
    letters_sender_drop(&tx);

    letter received[2] = { 0 }, l; /* they come in any order: printed by sender */
    while (letters_next(rx, &l))
        received[l.from - 1] = l;
    letters_receiver_drop(&rx);
    for (int i = 0; i < 2; i++) {
        TR_MUST(tr_thread_join(&threads[i], NULL, NULL));
        printf("received: %s\n", tr_string_cstr(&received[i].text));
        letter_drop(&received[i]);
    }
    printf("nobody is left to send\n");
}
