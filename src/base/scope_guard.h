#pragma once

#include <utility>

namespace midonet {

/// Runs `f` when the scope ends, unless released.
template <class F>
class ScopeGuard {
public:
    explicit ScopeGuard(F f) : f_(std::move(f)) {}
    ~ScopeGuard() {
        if (armed_) f_();
    }
    ScopeGuard(const ScopeGuard&) = delete;
    ScopeGuard& operator=(const ScopeGuard&) = delete;
    void release() { armed_ = false; }

private:
    F f_;
    bool armed_ = true;
};

}  // namespace midonet
