package main

// All longer texts for people are here.

const rootHelp = `photodesc describes every photo of a folder in words, with a small
vision-language model that runs on this machine. Nothing leaves it.

    photodesc describe beach.jpg   try one photo, and keep nothing
    photodesc run ~/Pictures       describe what is not yet described
    photodesc run                  go on, with the same settings
    photodesc status --watch       how far, how fast, until when, live
    photodesc status --all         the same of all your runs on this machine
    photodesc search dog beach     find photos by what they show
    photodesc browse               look through them on a page
    photodesc summary              everything in numbers, and what failed
    photodesc stop                 finish the photos in flight and stop
    photodesc config               the settings, and where each comes from

A run may take days. It can be stopped at any time and goes on where it was.
Progress, results and logs lie in the workdir: the current folder, or the one
given with -C. A workdir belongs to one photo folder.

` + exitCodesHelp

const exitCodesHelp = `Exit codes:
    0    all photos are described, or as many as --limit asked for
    1    could not go on; the message says why and what to do
    2    wrong usage, or settings that are not those of the workdir
    3    finished, but some photos failed or a folder could not be read
    130  stopped on request; the next run goes on`

const runHelp = `Describes every photo under DIR, sub-folders included, that is not yet
described. Without DIR it goes on with the workdir's photo folder and the
settings of its last run; flags change only what they name. Formats: JPEG, PNG,
WebP, GIF, BMP, TIFF, HEIC, AVIF, and the previews in camera RAW files; with
--untrusted-loaders also JPEG XL, where libvips reads it.

The workdir (the current folder, or -C) receives
    photo_descriptions_progress.txt   a line for each described photo
    outputs/image_analysis_*.jsonl    the descriptions, a JSON object a line
    logs/photodesc_*.log              what happened

Ctrl-C stops after the photos in flight; a second Ctrl-C stops at once.
photodesc run goes on. Photos that failed are left alone until --retry-failed.
SIGUSR1 (^T on macOS) makes a run print its progress.

With --watch the run stays when all photos are described, and describes those
that come. While there are none, no model is in memory.

With --background the run leaves the terminal and goes on when that is closed;
see status --watch, logs -f and stop. With --json standard output is one JSON
event a line, and the text goes to standard error. As a service the run goes on
by itself after every login: see photodesc service.

Flags may also stand in photodesc.toml: see photodesc config. When model, prompt
or another setting that decides the words is not that of the results in the
workdir, the run says so and does nothing; --redo changed describes those photos
again (it can be stopped and goes on), --redo never leaves them as they are.

`

const stopHelp = `Asks the run in the workdir to stop and waits until it has. Photos in flight are
finished and kept, which can take as long as one photo takes. With --now the
workers are killed, and the run itself if it does not answer: photos in flight
are described again by the next run.

With --node it stops nodes that are up on this machine, which take part in a run
of another one: what they have in flight is finished, or with --now goes back to
the run and to other machines.

    photodesc stop --node           all nodes of yours on this machine
    photodesc stop --node laptop    one, by its name or pid`

const modelsHelp = `Lists the models that have a name: how large they are, whether they are on this
machine, and whether they fit into the memory that a run may use (60% of the
machine's). A run fetches its model when it is not here.

Other models: --model FILE.gguf --mmproj FILE, or a repository of the Hugging
Face hub that has both files: --model OWNER/NAME or OWNER/NAME:TYPE, as in
ggml-org/SmolVLM-Instruct-GGUF:Q8_0. OWNER/NAME@REVISION keeps to a commit, a tag
or a branch. Beside SmolVLM, these kinds are known:
Qwen2-VL, Qwen2.5-VL, Qwen3-VL, Gemma 3, InternVL. They see a photo as one
picture, in no tiles: --detail is its longest edge for the Qwen models, and
nothing for the other two, which have one size for all.

Models go to photodesc/models in the user's cache folder, or where
PHOTODESC_MODELS says. Files that the caches of Hugging Face's own tools or of
llama.cpp hold are found and used. HF_ENDPOINT names a mirror of the hub,
HF_TOKEN a token for models that want one, HTTPS_PROXY a proxy. Without HF_TOKEN
the token of "hf auth login" counts, which mirrors do not get. HF_HUB_OFFLINE=1
forbids all connections.`

const doctorHelp = `Checks what a run needs, a line for each: CPU features, BLAS, GPU, picture
formats, the model (a test picture is described by the built-in one, through the
whole program), the model that a run takes when it is told none, disk, memory, and
the guard against sleep. Where that model is not here, its size is said, where it
will be put and, measured for two seconds, how long fetching it takes. "BAD" lines
say what to do; "note" lines are worth knowing. Exit code 1 if anything is bad.`

const benchHelp = `Describes photos that it draws itself, in a workdir of its own that is removed
afterwards, and prints photos an hour and where a photo's time goes: the stages,
how fast each is, and what share of this machine's limit that is. The limit is
measured in the same run: sgemm of the linked BLAS for arithmetic, reading for
memory. sgemm is of single precision; a stage that calculates in a coarser one
may go beyond it.

"supervision" is what a run takes longer than the engine alone, given the same
photos already decoded. Descriptions have exactly --max-tokens tokens. Use at
least twice as many photos as are described together. Settings in photodesc.toml
and in variables do not count here.

With --threads-sweep runs with different numbers of workers and threads are
measured in turns, and the fastest is kept in the user's cache folder: later
runs of this model, version and machine with --workers auto and --threads auto
use it. It takes minutes, more with many cores. Leave the machine alone.

With --against a server is measured too, on the same photos, in turns: ours, the
server's, ours, and so on. It must take pictures at /v1/chat/completions. Give
it the same model and detail, or the ratio compares different work. The report
has the tiles and tokens of both sides and says when they differ; a server's
tiles are told by the tokens of its prompts. llama.cpp's encodes one tile if its
vision file has no clip.vision.preproc_image_size, as some published ones. Nothing
else should run on the machine.`
