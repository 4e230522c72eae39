// What our C calls of Apple's Accelerate framework, whose headers are in Xcode only. For compiling, not for linking.
#pragma once

enum CBLAS_ORDER { CblasRowMajor = 101, CblasColMajor = 102 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112 };

#ifdef __cplusplus
extern "C"
#endif
void cblas_sgemm(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE a_turned, enum CBLAS_TRANSPOSE b_turned, int m, int n, int k,
                 float alpha, const float * a, int lda, const float * b, int ldb, float beta, float * c, int ldc);
