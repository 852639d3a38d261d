#include "core/bounded_queue.hpp"

#include <atomic>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace decant {
namespace {

TEST(BoundedQueue, GivesItemsInOrder) {
    BoundedQueue<int> queue{100};
    queue.push(1, 10);
    queue.push(2, 10);
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_EQ(queue.pop(), 2);
}

TEST(BoundedQueue, LetsPushWaitUntilThereIsRoom) {
    BoundedQueue<int> queue{10};
    std::atomic<bool> is_second_in{false};
    queue.push(1, 8);
    std::jthread producer{[&] {
        queue.push(2, 8);
        is_second_in = true;
    }};
    EXPECT_FALSE(is_second_in);
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_EQ(queue.pop(), 2);
    producer.join();
    EXPECT_TRUE(is_second_in);
}

TEST(BoundedQueue, PassesAnItemLargerThanTheBoundAlone) {
    BoundedQueue<int> queue{10};
    EXPECT_TRUE(queue.push(1, 1000));
    EXPECT_EQ(queue.pop(), 1);
}

TEST(BoundedQueue, GivesWhatIsLeftAfterCloseThenNothing) {
    BoundedQueue<int> queue{10};
    queue.push(1, 1);
    queue.close();
    EXPECT_FALSE(queue.push(2, 1));
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, WakesAWaitingConsumerOnClose) {
    BoundedQueue<int> queue{10};
    std::jthread consumer{[&] { EXPECT_EQ(queue.pop(), std::nullopt); }};
    queue.close();
}

TEST(BoundedQueue, RethrowsTheFirstFailureOnBothSides) {
    BoundedQueue<int> queue{10};
    queue.push(1, 10);
    std::jthread producer{[&] { EXPECT_THROW(queue.push(2, 10), std::logic_error); }};
    queue.fail(std::make_exception_ptr(std::logic_error{"first"}));
    queue.fail(std::make_exception_ptr(std::runtime_error{"second"}));
    EXPECT_THROW(queue.pop(), std::logic_error);
}

TEST(BoundedQueue, CarriesItemsThatOnlyMove) {
    BoundedQueue<std::unique_ptr<int>> queue{10};
    queue.push(std::make_unique<int>(7), 4);
    EXPECT_EQ(**queue.pop(), 7);
}

TEST(BoundedQueue, LosesAndDoublesNothingBetweenManyThreads) {
    constexpr int producers = 4;
    constexpr int items_each = 2000;
    BoundedQueue<int> queue{64};
    std::vector<long> sums(3, 0);
    {
        std::vector<std::jthread> consumers;
        for (long& sum : sums) {
            consumers.emplace_back([&queue, &sum] {
                while (const std::optional<int> item = queue.pop())
                    sum += *item;
            });
        }
        {
            std::vector<std::jthread> threads;
            for (int p = 0; p < producers; ++p) {
                threads.emplace_back([&queue] {
                    for (int i = 1; i <= items_each; ++i)
                        queue.push(i, static_cast<std::size_t>(i % 80));
                });
            }
        }
        queue.close();
    }
    EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), 0L), producers * (items_each * (items_each + 1L) / 2));
}

}  // namespace
}  // namespace decant
