// When ggml's backends are freed. In the pinned sources llama_context and
// clip_ctx free their backends before the scheduler, which then still asks each
// of them for its reset function (ggml_backend_sched_free): it reads freed
// memory. With backends that have one, as CUDA's has, it frees memory twice.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Hooks into the devices that ggml has registered: a backend of theirs that is
// freed within a pd_free_later stays until its end. Call it once, when all
// devices are known and before a model is loaded.
void pd_hook_devices(void);

#ifdef __cplusplus
}

// Within its scope backends that this thread frees stay alive; the end of the
// outermost scope frees them.
class pd_free_later {
public:
    pd_free_later();
    ~pd_free_later();
    pd_free_later(const pd_free_later &) = delete;
    pd_free_later & operator=(const pd_free_later &) = delete;
};
#endif
