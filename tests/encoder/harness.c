/* Reads frames (length, bytes) from standard input and gives each to the encoder's own code: argv[1] the model,
   argv[2] "tokens" (the tokenizer alone, which is what reads strangers' bytes) or "embed" (everything). */
#include "e5.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    e5_model *model = argc > 2 ? e5_load(argv[1]) : NULL;
    if (!model) return 2;
    float *out = malloc(sizeof(float) * (size_t)e5_dim(model));
    long texts = 0;
    uint32_t size;
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        char *text = malloc((size_t)size + 1);
        if (fread(text, 1, size, stdin) != size) return 3;
        text[size] = 0;
        if (strcmp(argv[2], "tokens") == 0) e5_token_count(model, text, 1);
        else e5_embed(model, text, 1, out);
        free(text);
        texts++;
    }
    printf("%ld\n", texts);
    free(out);
    e5_free(model);
    return 0;
}
