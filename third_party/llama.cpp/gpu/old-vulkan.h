// Included before ggml-vulkan.cpp, which names a few types that Vulkan's headers
// have only since 1.3.262; Debian 12 has older ones. They serve its validation
// layer, which is left out: nothing of this is filled in or read, but for the
// empty head that is handed to the instance.
#pragma once

#include <vulkan/vulkan_core.h>

#ifndef VK_EXT_layer_settings

#include <vector>

namespace vk {

enum class LayerSettingTypeEXT { eBool32 };

struct LayerSettingEXT {
    const char *        layer;
    const char *        name;
    LayerSettingTypeEXT type;
    uint32_t            count;
    const void *        values;
};

struct LayerSettingsCreateInfoEXT {
    VkStructureType         type  = (VkStructureType) 1000496000; // as registered; a driver passes over what it does not know
    const void *            next  = nullptr;
    uint32_t                count = 0;
    const LayerSettingEXT * settings = nullptr;

    explicit LayerSettingsCreateInfoEXT(const std::vector<LayerSettingEXT> &) {}
};

} // namespace vk

#endif
