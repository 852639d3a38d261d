#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/http_stand_in.hpp"
#include "tests/support/langsmith_rules.hpp"

namespace decant::test {

/// What the stand-in for LangSmith knows of datasets, their examples and experiments. One thread at a time.
class LangSmithDatasets {
public:
    using Objects = std::map<std::string, boost::json::object>;  ///< by id

    /// None where the path is of another part of the API. What breaks the contract is added to `violations`.
    std::optional<StandInAnswer> answer(const StandInRequest& request, std::vector<std::string>& violations);

    /// What is wrong with a run of an experiment; of one of a project nothing.
    std::vector<std::string> faults_of_run(const boost::json::object& run) const;
    bool has_experiment(const std::string& id) const { return experiments_.contains(id); }

    const Objects& datasets() const noexcept { return datasets_; }
    const Objects& examples() const noexcept { return examples_; }
    const Objects& experiments() const noexcept { return experiments_; }

private:
    using Faults = std::vector<std::string>;
    StandInAnswer find_datasets(const std::string& target) const;
    StandInAnswer list_examples(const std::string& target, Faults& faults) const;
    StandInAnswer make_dataset(const boost::json::value& body, Faults& faults);
    StandInAnswer make_examples(const boost::json::array& wanted, Faults& faults);
    StandInAnswer change_example(const std::string& id, const boost::json::value& body, Faults& faults);
    StandInAnswer make_experiment(const boost::json::value& body, Faults& faults);
    StandInAnswer change_experiment(const std::string& id, const boost::json::value& body, Faults& faults);
    void check_example(const boost::json::value& value, Faults& faults) const;

    Objects datasets_;
    Objects examples_;
    Objects experiments_;
};

}  // namespace decant::test
