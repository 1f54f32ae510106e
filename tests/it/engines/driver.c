/* What is asked of a GPU's driver and of TensorRT, answered for a GPU that is not
 * there. GPU is its name. */
#include <stdio.h>

int cuInit(int flags) { return flags; }

int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return 0;
}

int cuDeviceGetName(char *name, int length, int device) {
    snprintf(name, length, "%s", GPU);
    return device;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 8 : 7;
    return device;
}

int cuDriverGetVersion(int *version) {
    *version = 12060;
    return 0;
}

int getInferLibVersion(void) { return 100300; }
