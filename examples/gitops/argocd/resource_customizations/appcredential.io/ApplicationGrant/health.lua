-- What Argo CD shows of an object of appcredential.io, from its conditions as kstatus reads them.
-- A working credential is healthy while it is renewed, also when the renewal fails: that is for alerts.
-- examples/gitops/flux has the same verdicts as CEL expressions; a test holds them together.
local function result(status, message)
  return {status = status, message = message}
end

if obj.metadata.deletionTimestamp ~= nil then
  return result("Progressing", "Being deleted")
end
if obj.spec ~= nil and obj.spec.suspend == true then
  return result("Suspended", "spec.suspend is true")
end
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return result("Progressing", "The operator has not dealt with this generation yet")
end

local found = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  if condition.status == "True" or condition.type == "Ready" then
    found[condition.type] = condition
  end
end
if found.Ready == nil then
  return result("Progressing", "No condition Ready yet")
end
if found.Ready.status ~= "True" then
  if found.Stalled ~= nil then
    return result("Degraded", found.Stalled.message)
  end
  if found.Ready.reason == "Expired" then
    return result("Degraded", found.Ready.message)
  end
end
if found.Reconciling ~= nil and found.Stalled == nil then
  return result("Progressing", found.Reconciling.message)
end
if found.Ready.status ~= "True" then
  return result("Progressing", found.Ready.message)
end
return result("Healthy", found.Ready.message)
